//! The command that runs a case or a scenario again, as a report shows it.

use crate::outside::link::Link;

/// Its first words, for the shell: the subcommand and what all subcommands share.
pub(crate) fn words(subcommand: &str, client: Option<&str>, link: Link, seed: u64) -> Vec<String> {
    let mut words = vec![format!("veschub-harness {subcommand}")];
    if let Some(command) = client {
        words.push(format!("--client {}", quoted(command)));
    }
    if link != Link::default() {
        words.push(format!("--link {link}"));
    }
    if seed != 0 {
        words.push(format!("--seed {seed}"));
    }
    words
}

/// A word as a shell reads it.
pub(crate) fn quoted(word: &str) -> String {
    let quoted = shlex::try_quote(word).map(std::borrow::Cow::into_owned);
    quoted.unwrap_or_else(|_| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_usual_is_left_out_and_what_a_shell_would_split_is_quoted() {
        let all = words("run", Some("python3 'my client.py'"), Link::Pty, 7);
        assert_eq!(
            all.join(" "),
            r#"veschub-harness run --client "python3 'my client.py'" --link pty --seed 7"#
        );
        assert_eq!(words("run", None, Link::Hub, 0), ["veschub-harness run"]);
    }
}
