//! Tokens that the library makes.

use std::time::Duration;

use hubcast::token::{
    ClientAudience, ClientToken, MintError, TokenError, mint_rest, verify_client,
};
use proptest::prelude::*;

use crate::{CHAT, HOST, NOW, keys};

#[test]
fn rules_of_minting() {
    let good = ClientToken { endpoint: "http://localhost:8080", hub: "chat", ..Default::default() };
    let day = Duration::from_secs(24 * 60 * 60);
    for (token, expected) in [
        (good, None),
        (ClientToken { endpoint: "http://localhost:8080/", ..good }, None),
        (ClientToken { endpoint: "wss://[::1]:8080", ..good }, None),
        (ClientToken { endpoint: "localhost:8080", ..good }, Some(MintError::Endpoint)),
        (ClientToken { endpoint: "http://", ..good }, Some(MintError::Endpoint)),
        (ClientToken { endpoint: "http://localhost/x", ..good }, Some(MintError::Endpoint)),
        (ClientToken { endpoint: "ftp://localhost", ..good }, Some(MintError::Endpoint)),
        (ClientToken { hub: "", ..good }, Some(MintError::Hub)),
        (ClientToken { hub: "a/b", ..good }, Some(MintError::Hub)),
        (ClientToken { groups: &["a", " "], ..good }, Some(MintError::Group)),
        (ClientToken { lifetime: Duration::ZERO, ..good }, Some(MintError::Lifetime)),
        (ClientToken { lifetime: day, ..good }, None),
        (ClientToken { lifetime: day * 2, ..good }, Some(MintError::Lifetime)),
        (ClientToken { lifetime: day * 2, allow_long: true, ..good }, None),
        (ClientToken { lifetime: Duration::MAX, allow_long: true, ..good }, None),
    ] {
        assert_eq!(token.mint(&keys(), NOW).err(), expected, "{token:?}");
    }
    let minted = good.mint(&keys(), NOW).unwrap();
    let late = NOW + Duration::from_secs(60 * 60 + 301);
    assert!(matches!(verify_client(&minted, &keys(), CHAT, late), Err(TokenError::Expired { .. })));
    let minute = Duration::from_secs(60);
    assert_eq!(mint_rest("/api/x", minute, &keys(), NOW), Err(MintError::Endpoint));
    let never = mint_rest("http://localhost:8080/api/x", Duration::ZERO, &keys(), NOW);
    assert_eq!(never, Err(MintError::Lifetime));
}

#[test]
fn client_urls() {
    for (endpoint, start) in [
        ("http://localhost:8080", "ws://localhost:8080/client/hubs/a%60%5B1%5D?access_token=eyJ"),
        ("https://example.local/", "wss://example.local/client/hubs/a%60%5B1%5D?access_token=eyJ"),
    ] {
        let token = ClientToken { endpoint, hub: "a`[1]", ..Default::default() };
        let url = token.url(&keys(), NOW).unwrap();
        assert!(url.starts_with(start), "{url}");
        let host = endpoint.split('/').nth(2).unwrap();
        let audience = ClientAudience { host, hub: "A`[1]" };
        let token = url.split_once('=').unwrap().1;
        assert!(verify_client(token, &keys(), audience, NOW).is_ok());
    }
}

proptest! {
    /// What was minted verifies and says what went in.
    #[test]
    fn minted_tokens_verify(
        hub in "[A-Za-z][A-Za-z0-9_`,.\\[\\]]{0,127}",
        user in prop::option::of("\\PC*"),
        roles in prop::collection::vec("\\PC*", 0..4),
        groups in prop::collection::vec("[a-zé/%.]{1,9}", 0..4),
    ) {
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let token = ClientToken {
            endpoint: "https://localhost:8080",
            hub: &hub,
            user: user.as_deref(),
            roles: &roles,
            groups: &groups,
            ..ClientToken::default()
        };
        let minted = token.mint(&keys(), NOW).unwrap();
        let audience = ClientAudience { host: HOST, hub: &hub };
        let said = verify_client(&minted, &keys(), audience, NOW).unwrap();
        prop_assert_eq!(said.user, user);
        prop_assert_eq!(said.roles, roles);
        prop_assert_eq!(said.groups, groups);
    }
}
