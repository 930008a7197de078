//! Who makes a request (`webpubsub.md` 2.3, 2.4).

use bytes::Bytes;
use http::Request;

use super::fault::Fault;
use super::route::Verb;
use super::{Api, Trusted};
use crate::rest::headers;
use crate::time::Time;
use crate::token::{RestAudience, verify_entra_lifetime, verify_rest};

impl Api {
    /// Checks that whoever makes a request may ask for this.
    pub(super) fn admit(
        &self,
        verb: Verb,
        request: &Request<Bytes>,
        now: Time,
    ) -> Result<(), Fault> {
        if verb == Verb::Health || request.extensions().get::<Trusted>().is_some() {
            return Ok(());
        }
        let token = headers::bearer(request.headers()).ok_or_else(|| Fault::unauthorized(None))?;
        if self.allow_unvalidated_entra && verify_entra_lifetime(&token, now).is_ok() {
            return Ok(());
        }
        let host = headers::host(request.headers(), request.uri());
        let audience = RestAudience { host: &host, path: request.uri().path() };
        verify_rest(&token, &self.keys, audience, now)
            .map_err(|cause| Fault::unauthorized(Some(cause)))?;
        // Who has the key signs tokens alone, so the service makes them only for those who have none.
        if verb == Verb::GenerateToken && !self.generate_with_key {
            return Err(Fault::unauthorized(None));
        }
        Ok(())
    }
}
