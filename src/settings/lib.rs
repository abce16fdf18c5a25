//! /etc/contactpoint/contactpointd.toml, parsed once at the door.
