//! Counters by their names.

use hubcast::Metrics;

/// Looks up a counter by its field.
pub(crate) fn counter(metrics: &Metrics, name: &str) -> Result<u64, String> {
    if let Some((hub, field)) = name.strip_prefix("hubs.").and_then(|name| name.split_once('.')) {
        let found = metrics.hubs.iter().find(|each| each.hub == hub);
        let found = found.ok_or_else(|| format!("there is no hub {hub:?}"))?;
        return match field {
            "connections" => Ok(found.connections),
            "connections_ever" => Ok(found.connections_ever),
            _ => Err(format!("there is no counter {name:?}")),
        };
    }
    Ok(match name {
        "refused" => metrics.refused,
        "messages_in" => metrics.messages_in,
        "bytes_in" => metrics.bytes_in,
        "messages_out" => metrics.messages_out,
        "messages_throttled" => metrics.messages_throttled,
        "encodes" => metrics.encodes,
        "deliveries" => metrics.deliveries,
        "bytes_out" => metrics.bytes_out,
        "acks.success" => metrics.acks.success,
        "acks.forbidden" => metrics.acks.forbidden,
        "acks.duplicate" => metrics.acks.duplicate,
        "acks.bad_request" => metrics.acks.bad_request,
        "acks.internal_server_error" => metrics.acks.internal_server_error,
        "acks.throttled" => metrics.acks.throttled,
        "closes.normal" => metrics.closes.normal,
        "closes.closed_by_app_server" => metrics.closes.closed_by_app_server,
        "closes.bad_request" => metrics.closes.bad_request,
        "closes.unauthorized" => metrics.closes.unauthorized,
        "closes.throttled" => metrics.closes.throttled,
        "closes.slow_client" => metrics.closes.slow_client,
        "closes.ping_timeout" => metrics.closes.ping_timeout,
        "closes.send_event_failed" => metrics.closes.send_event_failed,
        "closes.event_handler_not_found" => metrics.closes.event_handler_not_found,
        "closes.service_reload" => metrics.closes.service_reload,
        "calls" => metrics.calls,
        "notifications" => metrics.notifications,
        "calls_failed" => metrics.calls_failed,
        "events_unhandled" => metrics.events_unhandled,
        "joins_limited" => metrics.joins_limited,
        "drops.newest" => metrics.drops.newest,
        "drops.oldest" => metrics.drops.oldest,
        "drops.superseded" => metrics.drops.superseded,
        "drops.expired" => metrics.drops.expired,
        "drops.ended" => metrics.drops.ended,
        "detached" => metrics.detached,
        "recovered" => metrics.recovered,
        "recoveries_refused" => metrics.recoveries_refused,
        "stale_inputs" => metrics.stale_inputs,
        _ => return Err(format!("there is no counter {name:?}")),
    })
}
