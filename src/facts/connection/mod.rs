//! How connections fare: attempts joined from the logs, the clients behind them, and the state they add up to.
//!
//! ```text
//! address  who
//! attempt  what an attempt is
//! join     records → attempts
//! client   attempts → outcome of each client, strangers told from people
//! state    outcomes → state and anchors
//! facts    all of it → facts
//! ```

pub mod address;
pub mod attempt;
pub mod client;
pub mod facts;
pub mod join;
pub mod state;
pub mod tried;
