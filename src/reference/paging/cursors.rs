//! Cursors: positions sealed so that callers can neither read nor make them.
//!
//! AES-GCM-SIV under a key that lives as long as the process. With a constant nonce it is deterministic: the same position
//! has the same text, and nothing else leaks. The sealed bytes hold the tenant, the list, the sort and the filters too; a
//! cursor sent anywhere else is refused.

use std::{
    collections::HashMap,
    io,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest, rand,
};
use data_encoding::BASE64URL_NOPAD;

use super::{
    asked::Sort,
    mark::{Mark, Place},
};
use crate::reference::{
    behaviour::Behaviour,
    defects::pagination::{CURSOR_ADVANCES, CURSOR_IGNORES_FILTER, PLAIN_OFFSET_CURSOR, SINGLE_USE_CURSOR},
    tokens::Tenant,
    variants::UNSTABLE_CURSOR_TEXT,
};

/// What a cursor is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Binding {
    tenant: Tenant,
    list: [u8; 8],
    sort: Sort,
    filters: [u8; 8],
}

impl Binding {
    pub(super) fn new(tenant: Tenant, list: &str, sort: Sort, filters: &[(&'static str, String)]) -> Self {
        // Length-prefixed, so that no value can pass for the end of another.
        let filters: Vec<String> =
            filters.iter().map(|(name, value)| format!("{name}={}:{value}", value.len())).collect();
        Self { tenant, list: short_digest(list), sort, filters: short_digest(&filters.join(";")) }
    }

    /// The same list without filters.
    pub(super) fn unfiltered(self) -> Self {
        Self { filters: short_digest(""), ..self }
    }

    fn encode(self) -> [u8; 18] {
        let mut bytes = [0; 18];
        bytes[0] = self.tenant as u8;
        bytes[1] = self.sort as u8;
        bytes[2..10].copy_from_slice(&self.list);
        bytes[10..].copy_from_slice(&self.filters);
        bytes
    }
}

fn short_digest(text: &str) -> [u8; 8] {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

/// A cursor that says nothing to this request.
#[derive(Debug)]
pub(super) struct Unreadable;

/// A cursor that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opened {
    pub(super) mark: Mark,
    /// False only where a defect lets a cursor pass with other filters than its own.
    pub(super) same_filters: bool,
}

/// Makes and reads cursors.
pub(in crate::reference) struct Cursors {
    key: LessSafeKey,
    is: Behaviour,
    /// Cursors that were used, each with the position its page led to: only defects look.
    used: Mutex<HashMap<String, Option<Mark>>>,
}

impl Cursors {
    /// Draws the key.
    pub(in crate::reference) fn new(is: Behaviour) -> io::Result<Self> {
        let unavailable = |_| io::Error::other("no randomness for the cursor key");
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(unavailable)?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, &bytes).map_err(unavailable)?);
        Ok(Self { key, is, used: Mutex::default() })
    }

    /// Whether the same position has another text each time.
    fn is_unique(&self) -> bool {
        self.is.is(UNSTABLE_CURSOR_TEXT) || self.counts_uses()
    }

    /// Whether a cursor differs when it is sent again.
    fn counts_uses(&self) -> bool {
        self.is.has(SINGLE_USE_CURSOR) || self.is.has(CURSOR_ADVANCES)
    }

    /// The text of a position.
    pub(super) fn seal(&self, binding: &Binding, mark: Mark) -> Option<String> {
        if let (true, Place::Offset(rows)) = (self.is.has(PLAIN_OFFSET_CURSOR), mark.place) {
            return Some(BASE64URL_NOPAD.encode(format!("offset:{rows}").as_bytes()));
        }
        let mut nonce = [0; NONCE_LEN];
        if self.is_unique() {
            rand::fill(&mut nonce).ok()?;
        }
        let mut sealed = [&binding.encode()[..], &mark.encode()].concat();
        let tag = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(tag, Aad::empty(), &mut sealed).ok()?;
        if self.is_unique() {
            sealed.splice(..0, nonce);
        }
        Some(BASE64URL_NOPAD.encode(&sealed))
    }

    /// The position behind a text, if it was made for exactly this use.
    pub(super) fn open(&self, text: &str, binding: &Binding) -> Result<Opened, Unreadable> {
        if self.is.has(PLAIN_OFFSET_CURSOR) {
            let mark = plain_offset(text).ok_or(Unreadable)?;
            return Ok(Opened { mark, same_filters: true });
        }
        let (own, mark) = self.unseal(text).ok_or(Unreadable)?;
        let asked = binding.encode();
        let same_filters = own[10..] == asked[10..];
        if own[..10] != asked[..10] || (!same_filters && !self.is.has(CURSOR_IGNORES_FILTER)) {
            return Err(Unreadable);
        }
        match self.used().get(text) {
            Some(_) if self.is.has(SINGLE_USE_CURSOR) => Err(Unreadable),
            Some(Some(next)) if self.is.has(CURSOR_ADVANCES) => Ok(Opened { mark: *next, same_filters }),
            _ => Ok(Opened { mark, same_filters }),
        }
    }

    /// Whose rows a cursor leads to: only the defect that takes cursors for credentials asks.
    pub(in crate::reference) fn owner(&self, text: &str) -> Option<Tenant> {
        let (binding, _) = self.unseal(text)?;
        [Tenant::One, Tenant::Two].into_iter().find(|tenant| *tenant as u8 == binding[0])
    }

    /// Notes where the page behind a cursor led.
    pub(super) fn remember(&self, text: &str, next: Option<Mark>) {
        if self.counts_uses() {
            self.used().insert(text.to_owned(), next);
        }
    }

    fn used(&self) -> std::sync::MutexGuard<'_, HashMap<String, Option<Mark>>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unseal(&self, text: &str) -> Option<([u8; 18], Mark)> {
        let mut sealed = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let mut nonce = [0; NONCE_LEN];
        if self.is_unique() {
            nonce = *sealed.first_chunk()?;
            sealed.drain(..NONCE_LEN);
        }
        let tag = Nonce::assume_unique_for_key(nonce);
        let opened = self.key.open_in_place(tag, Aad::empty(), &mut sealed).ok()?;
        let (binding, mark) = opened.split_first_chunk()?;
        Some((*binding, Mark::decode(mark)?))
    }
}

fn plain_offset(text: &str) -> Option<Mark> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let rows = std::str::from_utf8(&bytes).ok()?.strip_prefix("offset:")?.parse().ok()?;
    Some(Mark::at(Place::Offset(rows)))
}
