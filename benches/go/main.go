// Command benches does the work of millstream's benchmarks with channels of Go: a goroutine for
// each stage, and a channel of 256 places from each to the next.
//
// It prints an object of JSON: nanoseconds an item by subject and size, and with "-sums" what each
// subject gives, in its lower 32 bits.
package main

import (
	"encoding/json"
	"flag"
	"math/bits"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	n        = 10_000
	many     = 100_000
	capacity = 256
)

func mapped(n uint64) uint64 { return n * 0x9E3779B97F4A7C15 >> 7 }

// numbers sends those below n and closes its channel.
func numbers(n uint64) <-chan uint64 {
	return stage(func(out chan<- uint64) {
		for i := uint64(0); i < n; i++ {
			out <- i
		}
	})
}

// stage runs in a goroutine of its own, and has a channel of its own.
func stage(run func(out chan<- uint64)) <-chan uint64 {
	out := make(chan uint64, capacity)
	go func() {
		defer close(out)
		run(out)
	}()
	return out
}

func sum(in <-chan uint64) uint64 {
	all := uint64(0)
	for item := range in {
		all += item
	}
	return all
}

func chain() uint64 {
	items := numbers(n)
	products := stage(func(out chan<- uint64) {
		for item := range items {
			out <- mapped(item)
		}
	})
	return sum(stage(func(out chan<- uint64) {
		for item := range products {
			if item&1 == 0 {
				out <- item
			}
		}
	}))
}

// hub sends each item to all subscribers, by a channel for each.
func hub(subscribers int) uint64 {
	var channels []chan uint64
	sums := make([]uint64, subscribers)
	var all sync.WaitGroup
	for k := 0; k < subscribers; k++ {
		channel := make(chan uint64, capacity)
		channels = append(channels, channel)
		all.Add(1)
		go func(k int) {
			defer all.Done()
			sums[k] = sum(channel)
		}(k)
	}
	for i := uint64(0); i < n; i++ {
		for _, channel := range channels {
			channel <- i
		}
	}
	for _, channel := range channels {
		close(channel)
	}
	all.Wait()
	total := uint64(0)
	for _, sum := range sums {
		total += sum
	}
	return total
}

func zip() uint64 {
	a, b := numbers(n), numbers(n)
	return sum(stage(func(out chan<- uint64) {
		for item := range a {
			out <- mapped(item + <-b)
		}
	}))
}

func merge() uint64 {
	out := make(chan uint64, capacity)
	var both sync.WaitGroup
	for i := 0; i < 2; i++ {
		both.Add(1)
		go func() {
			defer both.Done()
			for i := uint64(0); i < n/2; i++ {
				out <- i
			}
		}()
	}
	go func() {
		both.Wait()
		close(out)
	}()
	return sum(out)
}

func publishOn(hops int) uint64 {
	items := numbers(n)
	for hop := 1; hop < hops; hop++ {
		before := items
		items = stage(func(out chan<- uint64) {
			for item := range before {
				out <- item
			}
		})
	}
	return sum(items)
}

// work is what a worker does for an item: about a quarter of a microsecond.
func work(n uint64) uint64 {
	for i := 0; i < 100; i++ {
		n = bits.RotateLeft64(n^0xA5A55A5A, 5)
	}
	return n
}

// parallelMap has workers that take items by turns, and asks them for the results by turns.
func parallelMap(workers int) uint64 {
	ins := make([]chan uint64, workers)
	outs := make([]<-chan uint64, workers)
	for k := range ins {
		in := make(chan uint64, capacity)
		ins[k] = in
		outs[k] = stage(func(out chan<- uint64) {
			for item := range in {
				out <- work(item)
			}
		})
	}
	go func() {
		for i := 0; i < n; i++ {
			ins[i%workers] <- uint64(i)
		}
		for _, in := range ins {
			close(in)
		}
	}()
	all := uint64(0)
	for i := 0; i < n; i++ {
		all += <-outs[i%workers]
	}
	return all
}

// flowsOnPool has a goroutine for each of many sums of ten items.
func flowsOnPool() uint64 {
	var all sync.WaitGroup
	var total atomic.Uint64
	all.Add(many)
	for i := uint64(0); i < many; i++ {
		go func(i uint64) {
			defer all.Done()
			sum := uint64(0)
			for item := i; item < i+10; item++ {
				sum += item
			}
			total.Add(sum)
		}(i)
	}
	all.Wait()
	return total.Load()
}

// measure gives the median of so many runs at least, and of as many as fit into the time.
func measure(run func() uint64, items int, budget time.Duration, least int) float64 {
	run()
	var times []float64
	for start := time.Now(); len(times) < least || time.Since(start) < budget; {
		before := time.Now()
		run()
		times = append(times, float64(time.Since(before).Nanoseconds())/float64(items))
	}
	sort.Float64s(times)
	return times[len(times)/2]
}

func main() {
	isSums := flag.Bool("sums", false, "print what each subject gives")
	isShort := flag.Bool("short", false, "few runs")
	flag.Parse()
	budget, least := 300*time.Millisecond, 11
	if *isShort {
		budget, least = 20*time.Millisecond, 3
	}
	results := map[string]float64{}
	add := func(subject string, size, items int, run func() uint64) {
		name := subject + " / " + strconv.Itoa(size)
		if *isSums {
			results[name] = float64(uint32(run()))
		} else {
			results[name] = measure(run, items, budget, least)
		}
	}
	add("chain", 1, n, chain)
	for _, size := range []int{1, 2, 4, 16} {
		size := size
		add("share", size, n, func() uint64 { return hub(size) })
	}
	for _, size := range []int{1, 4} {
		size := size
		add("hub", size, n, func() uint64 { return hub(size) })
	}
	add("zip", 1, n, zip)
	add("merge", 1, n, merge)
	for _, size := range []int{1, 4, 16} {
		size := size
		add("publish_on", size, n, func() uint64 { return publishOn(size) })
	}
	add("parallel_map", 8, n, func() uint64 { return parallelMap(8) })
	add("flows_on_pool", 1, many, flowsOnPool)
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(results); err != nil {
		os.Exit(1)
	}
}
