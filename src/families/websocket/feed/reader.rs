//! What a message says, read in one pass over its octets: only what the suite's paths lead to.

use bytes::Bytes;
use serde_json::Value;

use super::{
    super::config::{Config, OneOf, Pattern},
    message::{Kind, Message, Of},
};
use crate::{
    json::{PageReader, PageValues, Path, Scalar, Wanted},
    notation::{Template, Values},
};

/// Where the reader looks for rows; messages have none that are wanted here.
const NOWHERE: &str = "$.no_rows_are_looked_for";

/// The suite's paths and patterns, ready to be applied to one message after another.
#[derive(Debug)]
pub(in super::super) struct Reader {
    page: PageReader,
    kinds: Vec<(Kind, Matcher)>,
    acknowledges: Vec<(Of, Matcher)>,
    refuses: Vec<(Of, Matcher)>,
    /// Whether what no pattern names is data.
    rest: bool,
    slots: Slots,
}

#[derive(Debug, Default)]
struct Slots {
    first: Option<usize>,
    last: Option<usize>,
    scope: Option<usize>,
    key: Option<usize>,
    id: Option<usize>,
    reference: Option<usize>,
    time: Option<usize>,
    token: Option<usize>,
    snapshot: Option<usize>,
}

/// Which values must be where.
#[derive(Debug)]
struct Matcher(Vec<(usize, Vec<Want>)>);

#[derive(Debug)]
enum Want {
    Anything,
    This(Scalar),
}

impl Matcher {
    fn matches(&self, values: &[Option<Scalar>]) -> bool {
        self.0.iter().all(|(slot, wants)| {
            values.get(*slot).and_then(Option::as_ref).is_some_and(|value| {
                wants.iter().any(|want| match want {
                    Want::Anything => true,
                    Want::This(this) => this == value,
                })
            })
        })
    }
}

/// Collects paths; the same path is read once.
#[derive(Default)]
struct Paths(Vec<Path>);

impl Paths {
    fn slot(&mut self, path: &Path) -> usize {
        self.0.iter().position(|known| known == path).unwrap_or_else(|| {
            self.0.push(path.clone());
            self.0.len() - 1
        })
    }

    fn matcher(&mut self, pattern: &Pattern, values: &Values) -> Matcher {
        let wants = |one: &OneOf| match one {
            OneOf::One(value) => vec![want(value, values)],
            OneOf::Several(several) => several.iter().map(|value| want(value, values)).collect(),
        };
        Matcher(pattern.0.iter().map(|(path, one)| (self.slot(path), wants(one))).collect())
    }
}

/// A name whose value is not known before the message is sent stands for anything.
fn want(value: &Value, values: &Values) -> Want {
    match value {
        Value::Null => Want::Anything,
        Value::String(text) if text.contains("{{") => {
            let template: Result<Template, _> = text.parse();
            match template.map(|template| template.render(values)) {
                Ok(Ok(text)) => Want::This(Scalar::Text(text)),
                _ => Want::Anything,
            }
        }
        other => Want::This(Scalar::from_value(other)),
    }
}

impl Reader {
    /// For the messages of this check; `values` fill in names that patterns hold.
    pub(in super::super) fn new(config: &Config, values: &Values) -> Self {
        let mut paths = Paths::default();
        let messages = &config.messages;
        let named = [
            (Kind::Gap, &messages.gap),
            (Kind::Error, &messages.error),
            (Kind::Heartbeat, &messages.heartbeat),
            (Kind::Snapshot, &messages.snapshot),
            (Kind::Data, &messages.data),
        ];
        let mut kinds = Vec::new();
        for (kind, pattern) in named {
            kinds.extend(pattern.as_ref().map(|pattern| (kind, paths.matcher(pattern, values))));
        }
        let (mut acknowledges, mut refuses) = (Vec::new(), Vec::new());
        let exchanges = [
            (Of::Authenticate, &config.authenticate),
            (Of::Subscribe, &config.subscribe),
            (Of::Unsubscribe, &config.unsubscribe),
        ];
        for (of, exchange) in exchanges {
            let Some(exchange) = exchange else { continue };
            acknowledges.extend(exchange.acknowledged.as_ref().map(|pattern| (of, paths.matcher(pattern, values))));
            refuses.extend(exchange.refused.as_ref().map(|pattern| (of, paths.matcher(pattern, values))));
        }
        let unresumed = config.resume.as_ref().and_then(|resume| resume.refused.as_ref());
        refuses.extend(unresumed.map(|pattern| (Of::Resume, paths.matcher(pattern, values))));
        let mut at = |path: Option<&Path>| path.map(|path| paths.slot(path));
        let sequence = config.sequence.as_ref();
        let slots = Slots {
            first: at(sequence.and_then(|sequence| sequence.first.as_ref())),
            last: at(sequence.map(|sequence| &sequence.last)),
            scope: at(sequence.and_then(|sequence| sequence.key.as_ref())),
            key: at(messages.key.as_ref()),
            id: at(messages.id.as_ref()),
            reference: at(messages.reference.as_ref()),
            time: at(messages.time.as_ref()),
            token: at(config.resume.as_ref().and_then(|resume| resume.token.as_ref())),
            snapshot: at(messages.snapshot_sequence.as_ref()),
        };
        let rows = NOWHERE.parse().unwrap_or_else(|_| unreachable!("a path of one member"));
        let page = PageReader::new(Wanted { rows, fields: Vec::new(), page: paths.0 });
        Self { page, kinds, acknowledges, refuses, rest: messages.data.is_none(), slots }
    }

    /// Reads a message; what is no JSON is [`Kind::Other`].
    pub(in super::super) fn read(&self, text: Bytes) -> Message {
        let mut message = Message::other(text);
        self.read_again(&mut message, &mut PageValues::default());
        message
    }

    /// Reads the text of a message into it; what it said before is forgotten, and its memory is used again.
    pub(super) fn read_again(&self, message: &mut Message, values: &mut PageValues) {
        message.forget();
        if !self.values(&message.text, values) {
            return message.silence();
        }
        let values = &values.page[..];
        let bits = |list: &[(Of, Matcher)]| {
            let matching = list.iter().filter(|(_, matcher)| matcher.matches(values));
            matching.fold(0, |bits, (of, _)| bits | of.bit())
        };
        (message.acknowledges, message.refuses) = (bits(&self.acknowledges), bits(&self.refuses));
        let named = |wanted: fn(Kind) -> bool| {
            let mut kinds = self.kinds.iter().filter(|(kind, _)| wanted(*kind));
            kinds.find(|(_, matcher)| matcher.matches(values)).map(|(kind, _)| *kind)
        };
        message.kind = named(|kind| matches!(kind, Kind::Gap | Kind::Error))
            .or_else(|| (message.refuses != 0).then_some(Kind::Error))
            .or_else(|| (message.acknowledges != 0).then_some(Kind::Acknowledgement))
            .or_else(|| named(|kind| !matches!(kind, Kind::Gap | Kind::Error)))
            .unwrap_or(if self.rest { Kind::Data } else { Kind::Other });
        let scalar = |slot: Option<usize>| values.get(slot?)?.as_ref();
        let text = |slot: Option<usize>| scalar(slot)?.text();
        let number = |slot: Option<usize>| -> Option<u64> { text(slot)?.parse().ok() };
        let slots = &self.slots;
        message.last = number(slots.last);
        message.first = number(slots.first).or(message.last);
        message.snapshot_sequence = number(slots.snapshot);
        message.unit_time = scalar(slots.time).is_some_and(is_number);
        put(&mut message.scope, text(slots.scope.or(slots.key)));
        put(&mut message.key, text(slots.key));
        put(&mut message.id, text(slots.id));
        put(&mut message.reference, text(slots.reference));
        put(&mut message.time, text(slots.time));
        put(&mut message.token, text(slots.token));
    }

    /// The values at the paths. A number that JSON follows at once, as Socket.IO sends, is read as an array of the two.
    fn values(&self, text: &[u8], values: &mut PageValues) -> bool {
        if self.page.read_page(text, values) {
            return true;
        }
        let digits = text.iter().take_while(|octet| octet.is_ascii_digit()).count();
        let (number, rest) = text.split_at(digits);
        if number.is_empty() || number.len() > 9 || !rest.starts_with(b"[") && !rest.starts_with(b"{") {
            return false;
        }
        let number = number.iter().skip_while(|octet| **octet == b'0').copied().collect::<Vec<_>>();
        let number = if number.is_empty() { b"0".to_vec() } else { number };
        let both = [b"[", number.as_slice(), b",", rest, b"]"].concat();
        self.page.read_page(&both, values)
    }
}

/// Puts a text where another was, whose memory is used again.
fn put(slot: &mut Option<String>, text: Option<&str>) {
    match (slot, text) {
        (Some(known), Some(text)) => {
            known.clear();
            known.push_str(text);
        }
        (slot, text) => *slot = text.map(str::to_owned),
    }
}

fn is_number(scalar: &Scalar) -> bool {
    matches!(scalar, Scalar::Number(_))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reader(block: &Value) -> Reader {
        let mut whole = json!({"name": "s", "path": "/s"});
        whole.as_object_mut().unwrap().extend(block.as_object().unwrap().clone());
        Reader::new(&serde_json::from_value(whole).unwrap(), &Values::from([("me".into(), "x".into())]))
    }

    fn read(reader: &Reader, text: &str) -> Message {
        reader.read(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn messages_are_told_apart_and_read() {
        let reader = reader(&json!({
            "subscribe": {"message": {}, "acknowledged": {"$.type": "subscribed", "$.for": "{{me}}", "$.request": "{{request}}"},
                          "refused": {"$.type": "error"}},
            "messages": {"data": {"$.type": ["a", "b"]}, "heartbeat": {"$.type": "beat"}, "gap": {"$.gap": null},
                         "snapshot": {"$.type": "all"}, "snapshot_sequence": "$.n", "id": "$.id", "key": "$.o.key"},
            "sequence": {"last": "$.n", "first": "$.m"}
        }));
        let data = read(&reader, r#"{"type":"b","n":7,"m":5,"id":"E","o":{"key":3}}"#);
        assert_eq!((data.kind, data.first, data.last), (Kind::Data, Some(5), Some(7)));
        assert_eq!((data.id.as_deref(), data.key.as_deref()), (Some("E"), Some("3")));
        assert_eq!(read(&reader, r#"{"type":"a","n":"8"}"#).first, Some(8));
        let answer = read(&reader, r#"{"type":"subscribed","for":"x","request":1}"#);
        assert!(answer.kind == Kind::Acknowledgement && answer.acknowledges(Of::Subscribe));
        assert_eq!(read(&reader, r#"{"type":"subscribed","for":"y","request":1}"#).kind, Kind::Other);
        let refused = read(&reader, r#"{"type":"error"}"#);
        assert!(refused.kind == Kind::Error && refused.refuses(Of::Subscribe));
        assert_eq!(read(&reader, r#"{"type":"beat"}"#).kind, Kind::Heartbeat);
        assert_eq!(read(&reader, r#"{"type":"a","gap":1}"#).kind, Kind::Gap);
        assert_eq!(read(&reader, r#"{"type":"all","n":4}"#).snapshot_sequence, Some(4));
        for odd in ["", "hello", "{", "\u{0}", "[1]", "-1"] {
            assert_eq!(read(&reader, odd).kind, Kind::Other, "{odd}");
        }
        assert_eq!(reader.read(Bytes::from_static(b"\xff\xfe")).kind, Kind::Other);
    }

    #[test]
    fn a_number_before_json_is_read_too() {
        let reader = reader(&json!({
            "messages": {"data": {"$[0]": 42, "$[1][0]": "tick"}, "heartbeat": {"$": 2}, "id": "$[1][1].n"}
        }));
        let tick = read(&reader, r#"42["tick",{"n":5}]"#);
        assert_eq!((tick.kind, tick.id.as_deref()), (Kind::Data, Some("5")));
        assert_eq!(read(&reader, "2").kind, Kind::Heartbeat);
        assert_eq!(read(&reader, r#"0{"sid":"x"}"#).kind, Kind::Other);
    }
}
