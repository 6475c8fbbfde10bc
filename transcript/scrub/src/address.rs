//! IP addresses: placeholders whose texts are as long, and IPv6 addresses in texts, which have many notations.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use veschub_transcript::secret::Secret;

use crate::pattern::{Found, Pattern, Sort, Text};

/// The longest notation, with the last 32 bits as an IPv4 address.
const LONGEST: usize = 45;

/// Addresses that were replaced, and what stands for them.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    pub(crate) ips: BTreeMap<IpAddr, IpAddr>,
    /// Cards, whose addresses many machines make a part of their IPv6 addresses (RFC 4291, appendix A).
    pub(crate) macs: BTreeMap<[u8; 6], [u8; 6]>,
}

impl Addresses {
    /// Replaces IPv6 addresses in any notation.
    pub(crate) fn replace(&self, text: &mut Text<'_>, found: Found<'_>) {
        if self.ips.is_empty() && self.macs.is_empty() {
            return;
        }
        let is_part = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
        let mut at = 0;
        while at < text.bytes.len() {
            let run = text.bytes[at..].iter().take_while(|&&byte| is_part(byte));
            let end = at + run.count();
            let colons = text.bytes[at..end].iter().filter(|&&byte| byte == b':');
            if colons.take(2).count() == 2 {
                self.replace_in_run(text, at, end, found);
            }
            at = end + 1;
        }
    }

    fn replace_in_run(&self, text: &mut Text<'_>, start: usize, end: usize, found: Found<'_>) {
        let mut from = start;
        while from < end {
            // An address begins at the start of the run, at a colon or behind one.
            let is_start =
                from == start || text.bytes[from] == b':' || text.bytes[from - 1] == b':';
            let hit = is_start
                .then(|| self.longest(text.bytes, from, end))
                .flatten();
            match hit {
                Some((to, old, new)) if !text.done[from..to].contains(&true) => {
                    let is_upper = text.bytes[from..to].iter().any(u8::is_ascii_uppercase);
                    let mut told = told_in(new, to - from).unwrap_or_else(|| stand_in(to - from));
                    if is_upper {
                        told.make_ascii_uppercase();
                    }
                    text.bytes[from..to].copy_from_slice(told.as_bytes());
                    text.done[from..to].fill(true);
                    found(&Pattern {
                        origin: old.to_string().into_bytes(),
                        secret: Vec::new(),
                        placeholder: Vec::new(),
                        what: Secret::Ip,
                        sort: Sort::Raw,
                    });
                    from = to;
                }
                _ => from += 1,
            }
        }
    }

    /// The longest text from here on that is a known address: its end, the address, and what stands for it.
    fn longest(
        &self,
        bytes: &[u8],
        from: usize,
        end: usize,
    ) -> Option<(usize, Ipv6Addr, Ipv6Addr)> {
        let most = end.min(from + LONGEST);
        let is_end =
            |to: &usize| *to == end || matches!(bytes[*to], b':' | b'.') || bytes[*to - 1] == b':';
        (from + 2..=most).rev().filter(is_end).find_map(|to| {
            let text = std::str::from_utf8(&bytes[from..to]).ok()?;
            let ip: Ipv6Addr = text.parse().ok()?;
            Some((to, ip, self.replacement(ip)?))
        })
    }

    fn replacement(&self, ip: Ipv6Addr) -> Option<Ipv6Addr> {
        if let Some(IpAddr::V6(new)) = self.ips.get(&IpAddr::V6(ip)) {
            return Some(*new);
        }
        let octets = ip.octets();
        if let Some(v4) = ip.to_ipv4_mapped()
            && let Some(IpAddr::V4(new)) = self.ips.get(&IpAddr::V4(v4))
        {
            return Some(new.to_ipv6_mapped());
        }
        let [a, b, c, 0xFF, 0xFE, d, e, f] = *octets.last_chunk::<8>()? else {
            return None;
        };
        let new = self.macs.get(&[a ^ 2, b, c, d, e, f])?;
        let mut told = Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 0).octets();
        if ip.is_unicast_link_local() {
            told[..8].copy_from_slice(&octets[..8]);
        }
        let [a, b, c, d, e, f] = *new;
        told[8..].copy_from_slice(&[a ^ 2, b, c, 0xFF, 0xFE, d, e, f]);
        Some(told.into())
    }
}

/// A notation of the address that takes so many characters.
fn told_in(ip: Ipv6Addr, len: usize) -> Option<String> {
    let canonical = ip.to_string();
    if canonical.len() == len {
        return Some(canonical);
    }
    let groups = ip.segments();
    let (mut run, mut best) = (0..0, 0..0);
    for (index, &group) in groups.iter().enumerate() {
        run = match group {
            0 if run.end == index => run.start..index + 1,
            0 => index..index + 1,
            _ => run,
        };
        if run.len() > best.len() {
            best = run.clone();
        }
    }
    // As many of the zeros as possible are left out, then fewer.
    (best.start..=best.end).find_map(|shown| {
        let texts = |range: std::ops::Range<usize>| -> Vec<String> {
            groups[range]
                .iter()
                .map(|group| format!("{group:x}"))
                .collect()
        };
        let (mut head, mut tail) = (texts(0..shown), texts(best.end..8));
        let gap = if shown < best.end { "::" } else { ":" };
        let told = |head: &[String], tail: &[String]| match (head.is_empty(), tail.is_empty()) {
            (_, true) if gap == ":" => head.join(":"),
            (true, _) if gap == ":" => tail.join(":"),
            _ => head.join(":") + gap + &tail.join(":"),
        };
        let mut missing = len.checked_sub(told(&head, &tail).len())?;
        for group in head.iter_mut().chain(&mut tail) {
            let more = missing.min(4 - group.len());
            group.insert_str(0, &"0".repeat(more));
            missing -= more;
        }
        (missing == 0).then(|| told(&head, &tail))
    })
}

/// What stands for an address where no notation fits.
fn stand_in(len: usize) -> String {
    let mut text = format!("demo-{}", "0".repeat(len));
    text.truncate(len);
    text
}

/// Addresses that belong to no machine and whose texts are this long.
pub(crate) fn ipv4_of_len(len: usize) -> impl Iterator<Item = Ipv4Addr> {
    let nets = [[192, 0, 2], [198, 51, 100], [203, 0, 113]];
    let documentation = nets
        .into_iter()
        .flat_map(|[a, b, c]| (1..=254).map(move |d| Ipv4Addr::new(a, b, c, d)));
    let documentation = documentation.filter(move |ip| ip.to_string().len() == len);
    // Texts of 7 and 8 characters, and of 15, have no such address.
    let first = if len < 9 { 0u8 } else { 240 };
    let digits = |number: u8| number.checked_ilog10().unwrap_or(0) as usize + 1;
    let middle = (0..=u8::MAX).flat_map(|b| (0..=u8::MAX).map(move |c| (b, c)));
    let reserved = middle.flat_map(move |(b, c)| {
        let taken = digits(first) + digits(b) + digits(c) + 3;
        // All numbers of as many digits as are left.
        let last = match len.checked_sub(taken) {
            Some(1) => Some(0..=9u8),
            Some(2) => Some(10..=99),
            Some(3) => Some(100..=u8::MAX),
            _ => None,
        };
        last.into_iter()
            .flatten()
            .map(move |d| Ipv4Addr::new(first, b, c, d))
    });
    documentation.chain(reserved.filter(|ip| !ip.is_unspecified()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_notation_of_every_length() {
        let ip = Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 1);
        for len in 11..=39 {
            let told = told_in(ip, len).unwrap();
            assert_eq!(told.len(), len);
            assert_eq!(told.parse(), Ok(ip), "{told}");
        }
        assert_eq!(told_in(ip, 10), None);
        assert_eq!(stand_in(7), "demo-00");
    }
}
