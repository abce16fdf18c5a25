//! The closed list of addresses: method, template, and on which of the two listeners each exists.
//!
//! For: finding the one route of a request, or the refusal. A template's `{id}` is a decimal number, its `{*path}` is the rest; nothing is
//! percent-decoded, so an address has one spelling. Leaves to others: what a route does (`handlers`), its description (`document`).

use crate::problem::ProblemCode;
use http::Method;

/// Which listener a request came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Organisations, over mutual TLS.
    Network,
    /// The data centre's officers, over the control socket.
    Control,
}

macro_rules! routes {
    ($($(#[$doc:meta])* $variant:ident = $method:ident $template:literal $side:ident;)+) => {
        /// Every route there is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Route { $($(#[$doc])* $variant),+ }

        impl Route {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];
            pub(crate) const fn template(self) -> &'static str {
                match self { $(Self::$variant => $template),+ }
            }
            pub(crate) const fn method(self) -> Method {
                match self { $(Self::$variant => Method::$method),+ }
            }
            const fn method_name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($method)),+ }
            }
            const fn listening(self) -> Listening {
                match self { $(Self::$variant => Listening::$side),+ }
            }
        }
    };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listening {
    Network,
    Control,
    Both,
}

routes! {
    /// The hottest first: the list is searched in order.
    View = POST "/v1/children/view" Network;
    Search = POST "/v1/children/search" Network;
    FeedLines = POST "/v1/feeds/{id}/lines" Network;
    AskContact = POST "/v1/children/contact" Network;
    LogIn = POST "/v1/session" Both;
    LogOut = DELETE "/v1/session" Both;
    WhoSaw = POST "/v1/audit/who-saw" Network;
    OpenFeed = POST "/v1/feeds" Network;
    FeedReport = GET "/v1/feeds/{id}" Network;
    FinishFeed = POST "/v1/feeds/{id}/finish" Network;
    EnrolPerson = POST "/v1/people" Both;
    AmendPerson = POST "/v1/people/{id}" Both;
    SetPersonState = POST "/v1/people/{id}/state" Both;
    BeginReset = POST "/v1/people/{id}/reset" Both;
    CompleteReset = POST "/v1/people/{id}/reset/complete" Both;
    AcceptAgreement = POST "/v1/session/agreement" Both;
    AcceptResponsibilities = POST "/v1/organisation/responsibilities" Network;
    Sponsor = POST "/v1/organisations/{id}/sponsor" Both;
    Shield = POST "/v1/children/shield" Network;
    Unshield = POST "/v1/children/unshield" Network;
    SetAudience = POST "/v1/children/audience" Network;
    SettleRecord = POST "/v1/children/settle" Network;
    EndInvolvement = POST "/v1/involvements/end" Network;
    HoldNew = POST "/v1/organisation/hold-new" Network;
    Texts = GET "/v1/texts" Both;
    BreakGlass = POST "/v1/break-glass" Network;
    LeaveGlass = POST "/v1/break-glass/leave" Network;
    OverrideShield = POST "/v1/shield-override" Network;
    Alerts = POST "/v1/alerts/queue" Both;
    JudgeAlert = POST "/v1/alerts/{id}/judge" Both;
    SampleAlerts = POST "/v1/audit/alerts/sample" Network;
    ReviewAlert = POST "/v1/audit/alerts/{id}/review" Network;
    AlertStatistics = POST "/v1/audit/alerts/statistics" Network;
    Flags = POST "/v1/audit/flags" Network;
    Reviews = POST "/v1/reviews/queue" Both;
    SettleReview = POST "/v1/reviews/{id}/settle" Both;
    ReviewReport = POST "/v1/reviews/report" Both;
    MakeStatement = POST "/v1/audit/statement" Network;
    RequestEvidence = POST "/v1/audit/evidence" Network;
    ApproveEvidence = POST "/v1/audit/evidence/{id}/approve" Network;
    FetchEvidence = POST "/v1/audit/evidence/{id}/fetch" Network;
    Checkpoint = GET "/log/checkpoint" Network;
    AskedCheckpoint = GET "/log/checkpoint/asked" Network;
    CosignedCheckpoint = GET "/log/checkpoint/cosigned" Network;
    Cosign = POST "/log/cosignatures" Network;
    Tile = GET "/log/tile/{*path}" Network;
    Receipt = GET "/log/receipt/{id}" Network;
    Document = GET "/openapi.json" Both;
    EnrolOrganisation = POST "/v1/organisations" Control;
    Accredit = POST "/v1/organisations/{id}/accreditations" Control;
    AddCertificate = POST "/v1/organisations/{id}/certificates" Control;
    RemoveCertificate = POST "/v1/organisations/{id}/certificates/remove" Control;
    SuspendOrganisation = POST "/v1/organisations/{id}/suspend" Control;
    ResumeOrganisation = POST "/v1/organisations/{id}/resume" Control;
    Status = GET "/v1/status" Control;
    Evidence = GET "/v1/evidence" Control;
}

/// A route found, and what stood in its template's braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) route: Route,
    pub(crate) parameter: &'a str,
}

/// No route: the problem, and with `method_not_allowed` the methods that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotFound {
    pub(crate) code: ProblemCode,
    pub(crate) allow: &'static str,
}

impl Route {
    /// The route of a method and a path on one listener.
    pub(crate) fn find<'a>(side: Side, method: &Method, path: &'a str) -> Result<Found<'a>, NotFound> {
        let mut allow = None;
        for route in Self::ALL.iter().copied().filter(|route| route.is_on(side)) {
            if let Some(parameter) = fit(route.template(), path) {
                if route.method() == *method {
                    return Ok(Found { route, parameter });
                }
                allow = allow.or(Some(route));
            }
        }
        Err(allow.map_or(NotFound { code: ProblemCode::NoSuchRoute, allow: "" }, |other| NotFound {
            code: ProblemCode::MethodNotAllowed,
            allow: other.methods_at(),
        }))
    }

    /// Every method at this route's address, for `Allow`.
    fn methods_at(self) -> &'static str {
        if matches!(self, Self::LogIn | Self::LogOut) {
            "POST, DELETE"
        } else {
            self.method_name()
        }
    }

    /// Whether it is answered while the witnesses' quorum is late and answers wait: the log, so that they can come and cosign it, what is the
    /// same for everybody, and what the operator sees of the appliance. Nothing else: each look would be one more that nobody has seen.
    pub(crate) fn is_answered_unwitnessed(self) -> bool {
        match self {
            Self::Checkpoint | Self::AskedCheckpoint | Self::CosignedCheckpoint | Self::Cosign | Self::Tile | Self::Receipt => true,
            Self::Document | Self::Texts | Self::Status | Self::Evidence => true,
            Self::View | Self::Search | Self::FeedLines | Self::AskContact | Self::LogIn | Self::LogOut | Self::WhoSaw => false,
            Self::OpenFeed | Self::FeedReport | Self::FinishFeed => false,
            Self::EnrolPerson | Self::AmendPerson | Self::SetPersonState | Self::BeginReset | Self::CompleteReset => false,
            Self::AcceptAgreement | Self::AcceptResponsibilities | Self::Sponsor => false,
            Self::Shield | Self::Unshield | Self::SetAudience | Self::SettleRecord | Self::EndInvolvement | Self::HoldNew => false,
            Self::BreakGlass | Self::LeaveGlass | Self::OverrideShield => false,
            Self::Alerts | Self::JudgeAlert | Self::SampleAlerts | Self::ReviewAlert | Self::AlertStatistics | Self::Flags => false,
            Self::Reviews | Self::SettleReview | Self::ReviewReport => false,
            Self::MakeStatement | Self::RequestEvidence | Self::ApproveEvidence | Self::FetchEvidence => false,
            Self::EnrolOrganisation | Self::Accredit | Self::AddCertificate | Self::RemoveCertificate => false,
            Self::SuspendOrganisation | Self::ResumeOrganisation => false,
        }
    }

    pub(crate) fn is_on(self, side: Side) -> bool {
        match (self.listening(), side) {
            (Listening::Both, Side::Network | Side::Control) => true,
            (Listening::Network, Side::Network) | (Listening::Control, Side::Control) => true,
            (Listening::Network, Side::Control) | (Listening::Control, Side::Network) => false,
        }
    }
}

/// What stands in the template's braces (empty where it has none), if the path fits.
fn fit<'a>(template: &str, path: &'a str) -> Option<&'a str> {
    let Some((before, after)) = template.split_once('{') else { return (template == path).then_some("") };
    let rest = path.strip_prefix(before)?;
    let (name, after) = after.split_once('}')?;
    if name.starts_with('*') {
        return (!rest.is_empty()).then_some(rest);
    }
    let id = rest.strip_suffix(after)?;
    // one number has one address
    let has_one_spelling = id == "0" || !id.starts_with('0');
    (!id.is_empty() && has_one_spelling && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(side: Side, method: &Method, path: &str) -> Result<(Route, String), ProblemCode> {
        Route::find(side, method, path).map(|found| (found.route, found.parameter.to_owned())).map_err(|not| not.code)
    }

    #[test]
    fn each_route_is_found_by_its_template_and_no_two_are_the_same() {
        // architecture, interfaces
        for route in Route::ALL {
            let path = route.template().replace("{id}", "17").replace("{*path}", "0/x001/234.p/5");
            let side = if route.is_on(Side::Network) { Side::Network } else { Side::Control };
            assert_eq!(found(side, &route.method(), &path).unwrap().0, *route);
        }
    }

    #[test]
    fn only_the_session_has_two_methods_at_one_address() {
        // RFC 9110, 10.2.1: Allow lists every method of the address
        for (at, route) in Route::ALL.iter().enumerate() {
            let others = Route::ALL[at + 1..].iter().filter(|other| other.template() == route.template()).count();
            assert_eq!(others, usize::from(*route == Route::LogIn), "{}", route.template());
        }
    }

    #[test]
    fn what_is_not_on_the_list_is_refused_in_any_spelling() {
        // J3: errors to a caller are terse
        let no = Err(ProblemCode::NoSuchRoute);
        for path in [
            "/",
            "",
            "/v1",
            "/v1/session/",
            "//v1/session",
            "/v1/feeds//lines",
            "/v1/feeds/x/lines",
            "/v1/feeds/1/",
            "/v1/%73ession",
            "/log/tile/",
        ] {
            assert_eq!(found(Side::Network, &Method::POST, path), no, "{path}");
        }
        assert_eq!(found(Side::Network, &Method::GET, "/v1/session"), Err(ProblemCode::MethodNotAllowed));
        assert_eq!(Route::find(Side::Network, &Method::GET, "/v1/session").unwrap_err().allow, "POST, DELETE");
        assert_eq!(found(Side::Network, &Method::HEAD, "/log/checkpoint"), Err(ProblemCode::MethodNotAllowed));
        assert_eq!(found(Side::Network, &Method::GET, "/log/tile/0/000"), Ok((Route::Tile, "0/000".to_owned())));
    }

    #[test]
    fn the_control_routes_do_not_exist_for_the_network_nor_the_other_way() {
        // C4: the security officer never sees any child data; organisations never enrol themselves (B2)
        assert_eq!(found(Side::Network, &Method::POST, "/v1/organisations"), Err(ProblemCode::NoSuchRoute));
        assert_eq!(found(Side::Network, &Method::GET, "/v1/status"), Err(ProblemCode::NoSuchRoute));
        assert_eq!(found(Side::Network, &Method::GET, "/v1/evidence"), Err(ProblemCode::NoSuchRoute));
        assert_eq!(found(Side::Control, &Method::POST, "/v1/children/view"), Err(ProblemCode::NoSuchRoute));
        assert!(found(Side::Control, &Method::POST, "/v1/session").is_ok());
    }
}
