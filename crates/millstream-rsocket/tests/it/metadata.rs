//! Composite metadata and what is in it.

use bytes::Bytes;
use millstream_rsocket::metadata::{
    Authentication, Composite, Mime, Routing, decode_mimes, encode_mimes,
};
use proptest::{collection::vec, prelude::*};

fn some_mime() -> impl Strategy<Value = Mime> {
    prop_oneof![
        "[a-z]{1,64}/[a-z]{1,63}".prop_map(Mime::from),
        Just(Mime::ROUTING),
        Just(Mime::COMPOSITE),
        Just(Mime::JSON),
    ]
}

proptest! {
    #[test]
    fn entries_come_back_in_order(entries in vec((some_mime(), vec(any::<u8>(), 0..40)), 0..6)) {
        let entries = entries.into_iter().map(|(mime, bytes)| (mime, Bytes::from(bytes))).collect();
        let composite = Composite { entries };
        prop_assert_eq!(Composite::decode(composite.to_bytes()).unwrap(), composite);
    }

    #[test]
    fn tags_come_back(tags in vec("\\PC{0,60}", 0..5)) {
        let routing = Routing { tags };
        prop_assert_eq!(Routing::decode(routing.to_bytes()).unwrap(), routing);
    }

    #[test]
    fn lists_of_types_come_back(mimes in vec(some_mime(), 0..5)) {
        prop_assert_eq!(decode_mimes(encode_mimes(&mimes)).unwrap(), mimes);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..100)) {
        let bytes = Bytes::from(bytes);
        if let Ok(composite) = Composite::decode(bytes.clone()) {
            prop_assert_eq!(Composite::decode(composite.to_bytes()).unwrap(), composite);
        }
        if let Ok(authentication) = Authentication::decode(bytes.clone()) {
            prop_assert_eq!(
                Authentication::decode(authentication.to_bytes()).unwrap(),
                authentication
            );
        }
        Routing::decode(bytes.clone()).ok();
        decode_mimes(bytes).ok();
    }
}

#[test]
fn a_type_with_a_number_takes_one_byte_however_it_was_written() {
    let routing = Mime::from("message/x.rsocket.routing.v0");
    assert_eq!(routing, Mime::ROUTING);

    let bytes = Composite::new().with(routing, Routing::to("a").to_bytes()).to_bytes();

    assert_eq!(bytes, &b"\xfe\0\0\x02\x01a"[..]);
}

#[test]
fn a_type_as_text_has_one_less_than_its_length_before_it() {
    let bytes = Composite::new().with(Mime::from("a/b"), "c").to_bytes();

    assert_eq!(bytes, &b"\x02a/b\0\0\x01c"[..]);
}

#[test]
fn credentials_are_those_of_the_extension() {
    let simple = Authentication::Simple { username: "me".into(), password: "secret".into() };
    let bearer = Authentication::Bearer("token".into());
    let other = Authentication::Other { number: None, name: "own".into(), payload: "rest".into() };

    assert_eq!(simple.to_bytes(), &b"\x80\0\x02mesecret"[..]);
    assert_eq!(bearer.to_bytes(), &b"\x81token"[..]);
    assert_eq!(other.to_bytes(), &b"\x03ownrest"[..]);
    for each in [simple, bearer, other] {
        assert_eq!(Authentication::decode(each.to_bytes()).unwrap(), each);
        assert!(!format!("{each:?}").contains("secret"));
        assert!(!format!("{each:?}").contains("token"));
    }
}
