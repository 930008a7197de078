//! The URL templates of event handlers.

use axum::http::Uri;

/// The URL of the handler that is built into the server.
pub(crate) const ECHO: &str = "echo:";

/// Checks that a template is [`ECHO`], or an `http` or `https` URL once its placeholders are filled in.
///
/// # Errors
///
/// One line that says what is wrong and what to do.
pub(crate) fn check(template: &str) -> Result<(), String> {
    if template == ECHO {
        return Ok(());
    }
    let example = template.replace("{hub}", "hub").replace("{event}", "event");
    if let Some(at) = example.find(['{', '}']) {
        return Err(format!(
            "handler URL {template:?}: {:?} is no placeholder: only {{hub}} and {{event}} are",
            &example[at..]
        ));
    }
    let uri: Option<Uri> = example.parse().ok();
    let is_http = |uri: &Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    };
    if uri.as_ref().is_some_and(is_http) {
        return Ok(());
    }
    Err(format!(
        "handler URL {template:?}: is neither echo: nor a URL with http:// or https:// and a \
         host: try http://localhost:3000/eventhandler/{{event}}"
    ))
}
