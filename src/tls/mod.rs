//! A pure model of Schannel and its clients: what a server offers, and what a client and a server agree on. It reads no
//! input and writes no output.
