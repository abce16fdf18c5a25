//! What contactpoint does, the connecting organisation's client.
