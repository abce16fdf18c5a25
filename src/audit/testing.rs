//! A signer in memory and a log on disk for the tests of this crate, and the leaves of the certificate-transparency reference tests.

use crate::tiles::{bundle_path, encode_bundle, tile_path, width_at};
use crate::{Checkpoint, Hash, SignError, Signer, Tree, VerifierKey};
use ed25519_dalek::Signer as _;
use std::path::Path;

/// The eight leaf inputs of merkle_tree_test.cc (certificate-transparency) and transparency-dev/merkle's testonly/constants.go.
pub(crate) const CT_LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

/// The roots of the first 0 to 8 of them, from the same files.
pub(crate) const CT_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// A hash written in hexadecimal.
pub(crate) fn hash(hex: &str) -> Hash {
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
    }
    hash
}

/// An Ed25519 signer with a key in memory.
pub(crate) struct InMemory {
    key: ed25519_dalek::SigningKey,
    verifier: VerifierKey,
}

impl InMemory {
    pub(crate) fn new(name: &str, seed: u8) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        let verifier = VerifierKey::ed25519(name, key.verifying_key().as_bytes()).unwrap();
        Self { key, verifier }
    }
}

impl Signer for InMemory {
    fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.key.sign(message).to_bytes().to_vec())
    }
}

/// The log that all tests here verify.
pub(crate) fn signer() -> InMemory {
    InMemory::new("directory.example/log", 1)
}

/// So many different leaves of 3 bytes.
pub(crate) fn leaves(count: u32) -> Vec<Vec<u8>> {
    (0..count).map(|at| at.to_be_bytes()[1..].to_vec()).collect()
}

/// Writes a whole log: checkpoint, bundles, and the tiles of every level.
pub(crate) fn write_log(dir: &Path, leaves: &[Vec<u8>], signer: &InMemory) {
    let mut tree = Tree::new();
    for leaf in leaves {
        for full in tree.append(leaf) {
            write(dir, &tile_path(full.level, full.index, 256), &full.hashes);
        }
    }
    for (level, hashes) in tree.edge().iter().enumerate().filter(|(_, hashes)| !hashes.is_empty()) {
        let index = (tree.size() >> (8 * level)) / 256;
        write(dir, &tile_path(level as u8, index, hashes.len() as u16), &hashes.concat());
    }
    for (index, bundle) in leaves.chunks(256).enumerate() {
        let path = bundle_path(index as u64, width_at(tree.size(), 0, index as u64));
        write(dir, &path, &encode_bundle(bundle).unwrap());
    }
    let checkpoint = Checkpoint { origin: signer.verifier_key().name().to_owned(), size: tree.size(), root: tree.root() };
    write(dir, "checkpoint", checkpoint.signed(signer).unwrap().as_bytes());
}

pub(crate) fn write(dir: &Path, path: &str, bytes: &[u8]) {
    let file = dir.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, bytes).unwrap();
}
