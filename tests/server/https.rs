//! Event handlers behind https whose certificates nobody knows but the developer.

use axum::http::Method;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::{ACCESS_KEY, ConfigFile, JSON, Server, Webhook};

/// A certificate for `localhost`, and the one to trust.
struct Identity {
    config: ServerConfig,
    trusted: String,
}

impl Identity {
    /// Makes a certificate that an authority has signed, like that of mkcert.
    fn signed(authority: &str) -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.distinguished_name.push(DnType::CommonName, authority);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let key = KeyPair::generate().expect("a key");
        let own = localhost().signed_by(&key, &authority).expect("a certificate");
        Self { config: config(own.der().clone(), &key), trusted: authority.pem() }
    }

    /// Makes a certificate that has signed itself, like the development certificate of ASP.NET.
    fn self_signed() -> Self {
        let key = KeyPair::generate().expect("a key");
        let own = localhost().self_signed(&key).expect("a certificate");
        Self { config: config(own.der().clone(), &key), trusted: own.pem() }
    }
}

fn localhost() -> CertificateParams {
    CertificateParams::new(["localhost".to_owned()]).expect("a name")
}

fn config(certificate: CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let builder = ServerConfig::builder().with_no_client_auth();
    builder.with_single_cert(vec![certificate], key).expect("they belong together")
}

/// Events reach a handler whose authority `--handler-ca` names, or that has signed its certificate itself.
#[tokio::test]
async fn trusted() {
    for identity in [Identity::signed("mine"), Identity::self_signed()] {
        // What else stands in the file makes no difference.
        let other = Identity::signed("other").trusted;
        let file = ConfigFile::new("trusted", &format!("{other}\nnot PEM\n{}", identity.trusted));
        let mut webhook = Webhook::start_tls(identity.config, |asked| Some(asked.agree())).await;
        let flags = ["--handler", &webhook.flag(), "--handler-ca", file.path()];
        let server = Server::start(&flags).await;
        let mut client = server.connect("alice", &[JSON]).await;
        assert_eq!(client.json().await["event"], "connected");
        assert_eq!(webhook.next().await.method, Method::OPTIONS);
        assert_eq!(webhook.event("connect").await.header("ce-userId"), "alice");
    }
}

/// Without the flag, with that of somebody else, or under another name, nobody gets in, and stderr says why.
#[tokio::test]
async fn not_trusted() {
    let other = ConfigFile::new("other", &Identity::signed("other").trusted);
    let identity = Identity::signed("mine");
    let own = ConfigFile::new("own", &identity.trusted);
    let webhook = Webhook::start_tls(identity.config, |asked| Some(asked.agree())).await;
    let flag = webhook.flag();
    let by_address = flag.replacen("localhost", "127.0.0.1", 1);
    for (flags, why) in [
        (vec!["--handler", &flag], "UnknownIssuer: --handler-ca"),
        (vec!["--handler", &flag, "--handler-ca", other.path()], "UnknownIssuer: --handler-ca"),
        (vec!["--handler", &by_address, "--handler-ca", own.path()], "not valid for name"),
    ] {
        let server = Server::start(&flags).await;
        assert_eq!(server.refused(&server.url("chat", "alice", ACCESS_KEY)).await, 500);
        server.signal("-TERM").await;
        let (_, stderr) = server.ended().await;
        let line = stderr.lines().find(|line| line.contains("invalid peer certificate"));
        let line = line.unwrap_or_else(|| panic!("{stderr}"));
        assert!(
            line.starts_with("server: https://") && line.contains("/chat/validate: "),
            "{line}"
        );
        assert!(line.contains(why), "{line}");
        assert!(!stderr.contains("s3cret"), "{stderr}");
    }
}
