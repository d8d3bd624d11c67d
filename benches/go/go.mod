module millstream/benches

go 1.21
