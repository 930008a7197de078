//! What `--help` prints.

/// The whole help.
pub(crate) const HELP: &str = "\
A complete local publish/subscribe service that speaks the WebSocket protocols of Azure Web PubSub.
Nothing to install, nothing to sign up for: it keeps everything in memory until it stops.

Usage: server [FLAGS]

  --listen ADDR          Where to listen; port 0 takes any free port. Default 127.0.0.1:8080
                           --listen 0.0.0.0:9000
  --access-key KEY       Signs and checks access tokens; at least 32 bytes.
                         Default ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH, which everybody knows
                           --access-key \"$(openssl rand -hex 32)\"
  --secondary-key KEY    A second key that is good for tokens too, while keys are being changed
                           --secondary-key \"$OLD_KEY\"
  --config FILE          Settings of single hubs, in TOML; see below
                           --config hubs.toml
  --handler HUB=URL      Sends connect, connected, disconnected and all user events of a hub to a webhook, as
                         CloudEvents over HTTP; {hub} and {event} in the path or the query are filled in. The
                         webhook has to allow the host of this server, or *, in its answer to OPTIONS; the official
                         middleware does so. With https:// it needs a certificate of an authority that browsers
                         know, or of --handler-ca. The newer events joined and left, which the official middleware
                         does not take yet, are for a config file to ask for
                           --handler chat=http://localhost:3000/eventhandler/{event}
                         The URL echo: is a handler inside the server, for trying things out: it lets everybody in
                         and answers each event and each invocation with its own data and metadata; the event fail
                         fails, the event slow is answered after 1 s
                           --handler chat=echo:
  --handler-ca FILE      Certificates in PEM of more authorities for handlers with https://, or the handler's own if
                         it has signed it itself: that of mkcert, or the development certificate of ASP.NET
                           --handler-ca \"$(mkcert -CAROOT)/rootCA.pem\"
  --listener HUB=PATH    Appends every event of a hub that can be listened to (connected, disconnected, events of
                         clients) to a file, or - for stdout: a line of JSON each, as the service puts it into
                         Event Hubs. An event that a listener gets has succeeded, also without a handler
                           --listener chat=events.jsonl
  --logs PATH            Appends resource logs to a file, or - for stdout: a line of JSON for each connection that
                         comes, goes or is refused (ConnectivityLogs), each message (MessagingLogs), each request
                         of a server or to a webhook (HttpRequestLogs). No tokens, no keys, no contents
                           --logs hubcast.jsonl
  --journal FILE         Records all that goes into the engine, so that what happened can be played again, bit for
                         bit: cargo run --example replay -- FILE. The file is made anew
                           --journal hubcast.journal
  --journal-bytes N      The most bytes of the journal; what comes then is not recorded. Default 67108864
  --journal-without WHAT What is left out: secrets, the default (tokens, claims, headers, queries); payloads, which
                         means secrets and what messages say; or nothing, which also lets a replay check itself
                           --journal-without payloads
  --limits TIER          Quotas of a pricing tier: free, standard, standard:UNITS or none, the default
                           --limits standard:2
  --generate-token-with-key
                         Lets :generateToken take tokens signed with an access key, which the service does not
  --allow-unvalidated-entra
                         For development only: lets servers in with any token for https://webpubsub.azure.com,
                         whoever made it
  --help                 Prints this
  --version              Prints the version

A config file can say of each hub (limits are numbers, bytes and seconds):

  unknown_hubs = \"refuse\"                # or \"create\", the default: any hub name works
  [hubs.chat]
  allow_anonymous = true                 # clients may connect without a token; default false
  failed_event = \"close\"                 # or \"keep-open\", the default
  slow_consumer = \"drop-oldest\"          # or \"drop-newest\", \"keep-latest\", \"disconnect\", the default
  limits = { connections = 100, message_bytes = 65536, idle_timeout = 60, paused_messages = 200 }
  [[hubs.chat.handlers]]                 # the first handler that takes an event gets it
  url = \"echo:\"
  system_events = [\"connect\", \"connected\", \"disconnected\", \"joined\", \"left\"]
  user_events = \"*\"
  [[hubs.chat.listeners]]                # every listener that wants an event gets it, besides the handler
  path = \"-\"                             # a file, or - for stdout
  system_events = [\"connected\", \"disconnected\"]
  user_events = \"greet, vote\"            # names, or \"*\" for all; default none

slow_consumer says what becomes of messages for a client that does not read, once as many wait for it as
paused_messages and paused_bytes allow: the client is closed with 1008 (disconnect), what comes is dropped
(drop-newest), what has waited longest is dropped (drop-oldest), or only the newest message of each group waits
from the start (keep-latest). Clients of the reliable protocols lose nothing: they are closed when as many messages
wait for their acknowledgement as unacknowledged_messages and unacknowledged_bytes allow.

A hub has the limits of --limits except where the file says otherwise: message_bytes, connections,
groups_per_connection, ack_cache, queued_messages, queued_bytes, patterns_per_permission,
literals_per_permission, handshake_timeout, call_timeout, idle_timeout, unacknowledged_messages,
unacknowledged_bytes, recovery_window, paused_messages, paused_bytes, streams_per_connection,
invocations_per_connection, group_state_bytes, messages_per_second, messages_per_day.

On SIGHUP a server with --config, --listener or --logs reads the config file again. It takes all of it or, with a line
that says what is wrong, none of it; flags still add to it, and connections stay. More message_bytes are for clients
that connect then. It also opens the files of listeners and logs anew, so that they can be renamed before:
  mv hubcast.jsonl hubcast.1.jsonl; kill -HUP \"$(pidof server)\"

GET /metrics answers with counters for Prometheus:
  curl http://127.0.0.1:8080/metrics

What to do next: start it without flags. It prints the URL of its console, a page with test clients, live tables and
the last events, and a client URL that is ready to be pasted into a program.
";
