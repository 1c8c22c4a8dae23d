//! The console's HTTP API: routes, request bodies, sessions, problem documents, views and mail.

pub mod access;
pub mod api_user_form;
pub mod api_user_problem;
pub mod api_user_route;
pub mod body;
pub mod config;
pub mod factor_form;
pub mod factor_route;
pub mod form;
pub mod headers;
pub mod log;
pub mod mail;
pub mod member_form;
pub mod networks_problem;
pub mod networks_route;
mod not_viewable;
pub mod passkey_route;
pub mod policy_form;
pub mod problem;
pub mod refused;
pub mod route;
pub mod session;
pub mod token_problem;
pub mod view;
