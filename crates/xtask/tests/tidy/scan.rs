//! Takes Rust text apart into code and comments, and code into words.
//!
//! Not a parser: it knows just enough of comments, strings, characters and lifetimes that a word in
//! a string or a comment is never taken for code.

/// A text of which code and comments are kept apart, both with the lines of the original.
#[derive(Debug)]
pub(crate) struct Source {
    /// Comments and literals are blank.
    pub(crate) code: String,
    /// Everything but comments is blank.
    pub(crate) comments: String,
}

/// A word, `::`, `->` or another single character of code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) text: &'a str,
}

#[derive(Clone, Copy)]
enum Part {
    Code,
    Comment,
    Literal,
}

impl Source {
    pub(crate) fn new(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut source = Self { code: String::with_capacity(text.len()), comments: String::new() };
        let mut at = 0;
        while at < chars.len() {
            let (part, end) = part_at(&chars, at);
            for &char in &chars[at..end] {
                let blank = if char == '\n' { '\n' } else { ' ' };
                source.code.push(if matches!(part, Part::Code) { char } else { blank });
                source.comments.push(if matches!(part, Part::Comment) { char } else { blank });
            }
            at = end;
        }
        source
    }

    /// The words of the code.
    pub(crate) fn tokens(&self) -> Vec<Token<'_>> {
        let mut tokens = Vec::new();
        for (index, line) in self.code.lines().enumerate() {
            let mut rest = line.trim_start();
            while let Some(first) = rest.chars().next() {
                let len = if is_word(first) {
                    rest.find(|char| !is_word(char)).unwrap_or(rest.len())
                } else if rest.starts_with("::") || rest.starts_with("->") {
                    2
                } else {
                    first.len_utf8()
                };
                tokens.push(Token { line: index + 1, text: &rest[..len] });
                rest = rest[len..].trim_start();
            }
        }
        tokens
    }
}

/// The texts of the tokens from `start` on are these.
pub(crate) fn reads(tokens: &[Token<'_>], start: usize, texts: &[&str]) -> bool {
    texts
        .iter()
        .enumerate()
        .all(|(offset, text)| tokens.get(start + offset).is_some_and(|token| token.text == *text))
}

/// The index of the brace that closes the one at `open`.
pub(crate) fn closing_brace(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "{" => depth += 1,
            "}" if depth <= 1 => return index,
            "}" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Documentation and attributes directly above a line, which is counted from 1.
pub(crate) fn docs_above(text: &str, line: usize) -> String {
    let lines: Vec<&str> = text.lines().take(line - 1).collect();
    let mut docs: Vec<&str> = lines
        .iter()
        .rev()
        .map(|line| line.trim())
        .take_while(|line| {
            let is_end = line.is_empty() || line.ends_with(['{', '}', ';']);
            line.starts_with("//") || !is_end
        })
        .filter(|line| line.starts_with("///"))
        .collect();
    docs.reverse();
    docs.join("\n")
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// What starts at `at`, and where it ends.
fn part_at(chars: &[char], at: usize) -> (Part, usize) {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => (Part::Comment, find(chars, at, |char| char == '\n')),
        '/' if next == Some('*') => (Part::Comment, block_comment_end(chars, at)),
        '"' => (Part::Literal, quoted_end(chars, at + 1, '"')),
        '\'' if next == Some('\\') => (Part::Literal, quoted_end(chars, at + 1, '\'')),
        '\'' if chars.get(at + 2) == Some(&'\'') => (Part::Literal, at + 3),
        first if is_word(first) => {
            let end = find(chars, at, |char| !is_word(char));
            let word: String = chars[at..end].iter().collect();
            let is_raw = matches!(word.as_str(), "r" | "br" | "cr");
            match raw_string_end(chars, end) {
                Some(raw_end) if is_raw => (Part::Literal, raw_end),
                _ => (Part::Code, end),
            }
        }
        _ => (Part::Code, at + 1),
    }
}

fn find(chars: &[char], from: usize, is_end: impl Fn(char) -> bool) -> usize {
    let offset = chars[from..].iter().position(|&char| is_end(char));
    offset.map_or(chars.len(), |offset| from + offset)
}

fn quoted_end(chars: &[char], mut at: usize, quote: char) -> usize {
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn block_comment_end(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) if depth <= 1 => return at + 2,
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn raw_string_end(chars: &[char], from: usize) -> Option<usize> {
    let quote = find(chars, from, |char| char != '#');
    let n_hashes = quote - from;
    if chars.get(quote) != Some(&'"') {
        return None;
    }
    let closes = |at: usize| {
        chars[at] == '"' && (1..=n_hashes).all(|offset| chars.get(at + offset) == Some(&'#'))
    };
    let end = (quote + 1..chars.len()).find(|&at| closes(at));
    Some(end.map_or(chars.len(), |end| end + 1 + n_hashes))
}

#[test]
fn words_in_comments_and_literals_are_not_code() {
    let source = Source::new(concat!(
        "let a = \"one \\\" two\"; // three\n",
        "/* four /* five */ six */ let b = r#\"seven \" eight\"#;\n",
        "let c = b\"nine\\\\\"; let d = '\"'; let e: &'static str = r\"ten\\\";\n",
        "let f = '\\''; let r#g = 1;",
    ));

    let words: Vec<&str> = source.tokens().iter().map(|token| token.text).collect();

    assert_eq!(
        words.join(" "),
        "let a = ; let b = ; let c = b ; let d = ; let e : & ' static str = ; let f = ; \
         let r # g = 1 ;"
    );
    assert_eq!(
        source.comments.split_whitespace().collect::<String>(),
        "//three/*four/*five*/six*/"
    );
    assert_eq!(source.code.lines().count(), 4);
    assert_eq!(source.tokens().last().map(|token| token.line), Some(4));
}

#[test]
fn docs_end_at_the_item_before() {
    let text =
        "/// A.\nfn a() {}\n/// B: {\n#[must_use]\n// Why.\n#[expect(\n    x,\n)]\nfn b() {}";

    assert_eq!(docs_above(text, 9), "/// B: {");
}
