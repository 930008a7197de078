//! What metrics and logs call the operations of the REST API.

/// Which operation a request is about, for people who look at many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RestRoute {
    /// The name of the operation, such as `SendToGroup`; `Unknown` where there is none.
    pub(crate) category: &'static str,
    /// The path without its names.
    pub(crate) template: &'static str,
}

impl RestRoute {
    /// Finds the operation of a method and a path. It judges neither: whatever it says, the API decides.
    pub(crate) fn find(method: &str, path: &str) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        let words: Vec<String> =
            path.split('/').skip(1).take(8).map(str::to_ascii_lowercase).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let found = match &words[..] {
            ["api", "health"] => Some(("GetServiceStatus", "/api/health")),
            ["api", "hubs", _, rest @ ..] => in_hub(method, rest),
            _ => None,
        };
        let (category, template) = found.unwrap_or(("Unknown", ""));
        Self { category, template }
    }
}

fn in_hub(method: &str, words: &[&str]) -> Option<(&'static str, &'static str)> {
    Some(match (method, words) {
        ("POST", [":generatetoken"]) => ("GenerateClientToken", "/api/hubs/{hub}/:generateToken"),
        ("POST", [":send"]) => ("SendToAll", "/api/hubs/{hub}/:send"),
        ("POST", [":closeconnections"]) => {
            ("CloseAllConnections", "/api/hubs/{hub}/:closeConnections")
        }
        ("POST", [":addtogroups"]) => ("AddConnectionsToGroups", "/api/hubs/{hub}/:addToGroups"),
        ("POST", [":removefromgroups"]) => {
            ("RemoveConnectionsFromGroups", "/api/hubs/{hub}/:removeFromGroups")
        }
        (_, ["connections", rest @ ..]) => of_connection(method, rest)?,
        (_, ["groups", rest @ ..]) => of_group(method, rest)?,
        (_, ["users", rest @ ..]) => of_user(method, rest)?,
        (_, ["permissions", _, "connections", _]) => {
            let category = match method {
                "PUT" => "GrantPermission",
                "DELETE" => "RevokePermission",
                "HEAD" => "CheckPermission",
                _ => return None,
            };
            (category, "/api/hubs/{hub}/permissions/{permission}/connections/{connectionId}")
        }
        _ => return None,
    })
}

fn of_connection(method: &str, words: &[&str]) -> Option<(&'static str, &'static str)> {
    let template = "/api/hubs/{hub}/connections/{connectionId}";
    Some(match (method, words) {
        ("HEAD", [_]) => ("ConnectionExists", template),
        ("DELETE", [_]) => ("CloseConnection", template),
        ("POST", [_, ":send"]) => {
            ("SendToConnection", "/api/hubs/{hub}/connections/{connectionId}/:send")
        }
        ("DELETE", [_, "groups"]) => {
            ("RemoveConnectionFromAllGroups", "/api/hubs/{hub}/connections/{connectionId}/groups")
        }
        _ => return None,
    })
}

fn of_group(method: &str, words: &[&str]) -> Option<(&'static str, &'static str)> {
    let member = "/api/hubs/{hub}/groups/{group}/connections/{connectionId}";
    Some(match (method, words) {
        ("HEAD", [_]) => ("GroupExists", "/api/hubs/{hub}/groups/{group}"),
        ("POST", [_, ":send"]) => ("SendToGroup", "/api/hubs/{hub}/groups/{group}/:send"),
        ("POST", [_, ":closeconnections"]) => {
            ("CloseGroupConnections", "/api/hubs/{hub}/groups/{group}/:closeConnections")
        }
        ("GET", [_, "connections"]) => {
            ("ListConnectionsInGroup", "/api/hubs/{hub}/groups/{group}/connections")
        }
        ("PUT", [_, "connections", _]) => ("AddConnectionToGroup", member),
        ("DELETE", [_, "connections", _]) => ("RemoveConnectionFromGroup", member),
        _ => return None,
    })
}

fn of_user(method: &str, words: &[&str]) -> Option<(&'static str, &'static str)> {
    let membership = "/api/hubs/{hub}/users/{userId}/groups/{group}";
    Some(match (method, words) {
        ("HEAD", [_]) => ("UserExists", "/api/hubs/{hub}/users/{userId}"),
        ("POST", [_, ":send"]) => ("SendToUser", "/api/hubs/{hub}/users/{userId}/:send"),
        ("POST", [_, ":closeconnections"]) => {
            ("CloseUserConnections", "/api/hubs/{hub}/users/{userId}/:closeConnections")
        }
        ("DELETE", [_, "groups"]) => {
            ("RemoveUserFromAllGroups", "/api/hubs/{hub}/users/{userId}/groups")
        }
        ("PUT", [_, "groups", _]) => ("AddUserToGroup", membership),
        ("DELETE", [_, "groups", _]) => ("RemoveUserFromGroup", membership),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation has its name and its template, whatever names are in the path and in whatever case its words
    /// are; everything else is unknown.
    #[test]
    fn operations() {
        for (method, path, category, template) in [
            ("HEAD", "/api/health", "GetServiceStatus", "/api/health"),
            ("POST", "/api/hubs/h/:send", "SendToAll", "/api/hubs/{hub}/:send"),
            ("POST", "/API/Hubs/h/:SEND/", "SendToAll", "/api/hubs/{hub}/:send"),
            (
                "POST",
                "/api/hubs/h/:generateToken",
                "GenerateClientToken",
                "/api/hubs/{hub}/:generateToken",
            ),
            (
                "POST",
                "/api/hubs/h/groups/groups/:send",
                "SendToGroup",
                "/api/hubs/{hub}/groups/{group}/:send",
            ),
            (
                "PUT",
                "/api/hubs/h/users/u/groups/g",
                "AddUserToGroup",
                "/api/hubs/{hub}/users/{userId}/groups/{group}",
            ),
            (
                "DELETE",
                "/api/hubs/h/permissions/p/connections/c",
                "RevokePermission",
                "/api/hubs/{hub}/permissions/{permission}/connections/{connectionId}",
            ),
            (
                "DELETE",
                "/api/hubs/h/connections/c",
                "CloseConnection",
                "/api/hubs/{hub}/connections/{connectionId}",
            ),
            ("GET", "/api/hubs/h/:send", "Unknown", ""),
            ("POST", "/api/hubs/h", "Unknown", ""),
            ("POST", "/api/hubs/h/groups/g/connections/c/x/y/z/:send", "Unknown", ""),
            ("POST", "", "Unknown", ""),
        ] {
            let route = RestRoute { category, template };
            assert_eq!(RestRoute::find(method, path), route, "{method} {path}");
        }
    }
}
