//! Record sealing, search tokens, key epochs; the only crate that names the AEAD.
