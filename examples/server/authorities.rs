//! Whose certificates the handlers behind `https` may have.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error, PemObject};

/// Returns the authorities that browsers know, and those of a PEM file.
///
/// # Errors
///
/// One line that says what is wrong with the file and what to do.
pub(crate) fn trusted(file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut authorities = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let Some(path) = file else { return Ok(authorities) };
    let wrong = |what: &str| format!("--handler-ca {}: {what}", path.display());
    let unreadable = |error: Error| match error {
        Error::Io(error) => wrong(&format!("cannot be read: {error}")),
        _ => wrong(&format!("is not PEM: {EXPECTED}")),
    };
    let mut found = 0;
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        found += 1;
        let certificate = certificate.map_err(unreadable)?;
        authorities.add(certificate).map_err(|error| {
            wrong(&format!("certificate {found} cannot be trusted: {error}: {EXPECTED}"))
        })?;
    }
    if found == 0 {
        return Err(wrong(&format!("has no certificate: {EXPECTED}")));
    }
    Ok(authorities)
}

const EXPECTED: &str = "it is to hold certificates between BEGIN CERTIFICATE and END CERTIFICATE";
