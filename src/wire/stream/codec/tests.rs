use proptest::prelude::*;

use super::*;

fn reader(octets: &[u8]) -> Reader {
    Reader::new(octets, ByteSize(1 << 20), Duration::from_secs(3))
}

fn all(reader: &mut Reader) -> Vec<Frame> {
    std::iter::from_fn(|| reader.next().unwrap()).collect()
}

fn outgoing() -> impl Strategy<Value = Outgoing> {
    let payload = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        proptest::collection::vec(any::<u8>(), 65_530..65_540),
    ];
    (any::<bool>(), 0..8_u8, any::<bool>(), 0..16_u8, payload).prop_map(|(fin, rsv, masked, bits, payload)| Outgoing {
        fin,
        rsv,
        masked,
        opcode: Opcode::from(bits),
        payload: payload.into(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_wherever_it_is_cut(sent in proptest::collection::vec(outgoing(), 1..5), cut in any::<prop::sample::Index>()) {
        let mut wire = BytesMut::new();
        sent.iter().for_each(|frame| write(frame, &mut wire));
        let cut = cut.index(wire.len() + 1);
        let mut reader = reader(&wire[..cut]);
        let mut read = all(&mut reader);
        reader.room().put_slice(&wire[cut..]);
        read.extend(all(&mut reader));
        prop_assert_eq!(read.len(), sent.len());
        for (read, sent) in read.iter().zip(&sent) {
            prop_assert_eq!((read.fin, read.rsv, read.masked, read.opcode), (sent.fin, sent.rsv, sent.masked, sent.opcode));
            prop_assert_eq!(&read.payload, &sent.payload);
        }
        prop_assert!(reader.buffer.is_empty());
    }

    #[test]
    fn no_octets_make_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..100)) {
        let mut reader = reader(&octets);
        while let Ok(Some(_)) = reader.next() {}
    }
}

#[test]
fn what_is_too_large_or_too_long_winded_is_no_frame() {
    let refused = |octets: &[u8]| reader(octets).next().unwrap_err();
    assert!(refused(&[0x82, 127, 0, 0, 0, 0, 0, 16, 0, 1]).contains("1048577 octets"));
    assert!(refused(&[0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0]).contains("more than the 1MiB allowed"));
    assert!(refused(&[0x81, 126, 0, 5]).contains("not written as short"));
    assert!(refused(&[0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff]).contains("not written as short"));
    assert_eq!(reader(&[0x82, 127, 0, 0, 0, 0, 0, 16, 0, 0]).next(), Ok(None));
}

#[test]
fn a_clients_frame_is_not_on_the_wire_as_it_is() {
    let frame = Outgoing::text("a text long enough not to be masked into itself");
    assert!(!octets(&frame).ends_with(&frame.payload));
    assert_eq!(octets(&Outgoing { masked: false, ..frame.clone() }), [&[0x81, 47][..], &frame.payload].concat());
}
