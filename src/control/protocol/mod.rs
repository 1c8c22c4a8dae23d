//! Requests and replies between the Workers and the Durable Objects, session cookies and set-up
//! links, the values that people type, and encryption at rest.

pub mod account;
pub mod activity;
pub mod at_stake;
pub mod caller;
pub mod code;
pub mod command;
pub mod deletion;
pub mod draft;
pub mod effect;
pub mod encryption;
pub mod envelope;
pub mod expiry_text;
pub mod identity;
pub mod integer;
pub mod key_filter;
pub mod key_status;
pub mod keys;
pub mod ledger;
pub mod master;
pub mod member;
pub mod objects;
pub mod operator;
pub mod password_rules;
pub mod password_text;
pub mod refusal;
pub mod reply;
pub mod secret_shape;
pub mod service;
pub mod service_credentials;
pub mod token;
pub mod tries;
pub mod view;
pub mod visible_text;
pub mod zone;
