//! Defines the errors of gateway rules.

/// Most rules of a deployment; each request scans them.
pub const RULES_MAX: usize = 200;

/// The reason why the rules were refused. It holds the rule's index in the array, from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The text is not a JSON array.
    #[error("RULES is not an array of rules: {0}")]
    Syntax(String),
    /// The rule is not a JSON object.
    #[error("rule {0}: a rule is an object")]
    NotAnObject(usize),
    /// A member is absent although each rule has it, or it has a wrong type.
    #[error("rule {0}: {1} is missing, or has a wrong type")]
    Member(usize, &'static str),
    /// The rule has a member that no rule has.
    #[error("rule {0}: no rule has a member {1:?}")]
    UnknownMember(usize, String),
    /// The array has more than [`RULES_MAX`] rules.
    #[error("RULES holds {0} rules; at most {RULES_MAX} are allowed")]
    TooMany(usize),
    /// The host is not a host name in lower case, or it is the console's.
    #[error(
        "rule {0}: host must be a host name in lower case, without port or a dot at its end, and not the console's"
    )]
    Host(usize),
    /// The path is not normalised, or has a `*` other than a final `/*`.
    #[error("rule {0}: path must be a normalised path, with * only as a final /*")]
    Path(usize),
    /// The origin is neither a binding name nor a base URL.
    #[error("rule {0}: origin must be a binding's name or https://host[:port]")]
    Origin(usize),
    /// A rule with `serves` has further members.
    #[error("rule {0}: a rule with serves has host and path and nothing else")]
    Served(usize),
    /// The rule has none or several of `permission`, `any_key` and `public`.
    #[error("rule {0}: say exactly one of permission, any_key = true, public = true")]
    Access(usize),
    /// The permission is one that no request can need.
    #[error("rule {0}: permission must be resource:action without wildcards, and not claviger:…")]
    Permission(usize),
    /// The rule names an unknown credential place.
    #[error(
        "rule {0}: credentials may name authorization, x-api-key, query:<name>, form:<name>, json:<name> and subprotocol"
    )]
    Place(usize),
    /// The rule allows encoded slashes, but matches one path only.
    #[error("rule {0}: encoded_slashes has no effect, because path does not end in /*")]
    EncodedSlashes(usize),
    /// The rule keeps the origin's host, but no origin by URL has one.
    #[error("rule {0}: rewrite_location has no effect, because origin is a binding")]
    Location(usize),
    /// The rule lists a site in another form than browsers do.
    #[error(
        "rule {0}: cors must list origins as browsers send them, such as https://app.example.com, or be [\"*\"]"
    )]
    Sites(usize),
    /// An earlier rule has the same host and path; a slash at the end makes no difference.
    #[error("rule {0}: another rule has this host and path, apart from a slash at its end")]
    Duplicate(usize),
    /// The path of an OAuth endpoint is a pattern, or has characters that a URL escapes.
    #[error("rule {0}: the path of an OAuth endpoint has only letters, digits, -, ., _, ~ and /")]
    OAuthPath(usize),
}
