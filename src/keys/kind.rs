//! The keys in the HSM, those that stay and those of the epochs: label, kind, task, and the templates that make and find them.

use crate::Renewable;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};

/// DER object identifier 1.2.840.10045.3.1.7, prime256v1 (RFC 5480).
pub(crate) const P256_PARAMETERS: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// DER object identifier 1.3.101.112, id-Ed25519 (RFC 8410).
pub(crate) const ED25519_PARAMETERS: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
/// DER PrintableString "edwards25519", the other spelling of the same curve (PKCS#11 v3.0 section 2.3.5); SoftHSM answers with it.
pub(crate) const ED25519_CURVE_NAME: &[u8] = b"\x13\x0cedwards25519";
/// The epoch that a ceremony begins with.
pub(crate) const FIRST_EPOCH: u32 = 1;
/// Bytes of a secret key.
pub(crate) const SECRET_BYTES: u64 = 32;

/// One of the keys that never leave the HSM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HsmKey {
    /// Wraps the data keys; nothing else.
    Store,
    /// Signs log heads, with Ed25519.
    Audit,
    /// Signs log heads with ECDSA: alone where the HSM has no EdDSA, or beside the other.
    AuditP256,
    /// The server's TLS key.
    Tls,
    /// HMAC over passwords before they are hashed.
    Pepper,
    /// Wraps the data key of one epoch and nothing else, so that its end is that key's end in every copy.
    Epoch(Renewable, u32),
}

impl HsmKey {
    /// Those that a ceremony makes: of the two that sign heads, what the settings ask for.
    pub(crate) const OF_CEREMONY: [Self; 7] = [
        Self::Store,
        Self::Audit,
        Self::AuditP256,
        Self::Tls,
        Self::Pepper,
        Self::Epoch(Renewable::Records, FIRST_EPOCH),
        Self::Epoch(Renewable::Entries, FIRST_EPOCH),
    ];

    /// CKA_LABEL; a pair has it on both keys.
    pub(crate) fn label(self) -> String {
        match self {
            Self::Store => "contactpoint-store".to_owned(),
            Self::Audit => "contactpoint-audit".to_owned(),
            Self::AuditP256 => "contactpoint-audit-p256".to_owned(),
            Self::Tls => "contactpoint-tls".to_owned(),
            Self::Pepper => "contactpoint-pepper".to_owned(),
            Self::Epoch(of, epoch) => format!("contactpoint-{of}-{epoch}"),
        }
    }

    /// The epoch's key that has this label.
    pub(crate) fn of_epoch_label(label: &[u8]) -> Option<Self> {
        let label = std::str::from_utf8(label).ok()?;
        let (name, epoch) = label.strip_prefix("contactpoint-")?.rsplit_once('-')?;
        let of = Renewable::ALL.into_iter().find(|of| of.name().code() == name)?;
        let key = Self::Epoch(of, epoch.parse().ok()?);
        Some(key).filter(|key| key.label() == label)
    }

    /// It is made to be destroyed one day.
    pub(crate) const fn ends(self) -> bool {
        matches!(self, Self::Epoch(..))
    }

    /// What the key must be, in words.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Store | Self::Epoch(..) => "an AES key of 256 bits",
            Self::Audit => "an Ed25519 private key",
            Self::AuditP256 | Self::Tls => "an ECDSA private key on P-256",
            Self::Pepper => "a generic secret of 256 bits",
        }
    }

    /// CKA_CLASS of the key that must not leave.
    pub(crate) const fn class(self) -> ObjectClass {
        match self {
            Self::Store | Self::Pepper | Self::Epoch(..) => ObjectClass::SECRET_KEY,
            Self::Audit | Self::AuditP256 | Self::Tls => ObjectClass::PRIVATE_KEY,
        }
    }

    /// CKA_KEY_TYPE.
    pub(crate) const fn key_type(self) -> KeyType {
        match self {
            Self::Store | Self::Epoch(..) => KeyType::AES,
            Self::Audit => KeyType::EC_EDWARDS,
            Self::AuditP256 | Self::Tls => KeyType::EC,
            Self::Pepper => KeyType::GENERIC_SECRET,
        }
    }

    /// CKA_EC_PARAMS of a pair; `None` for a secret key.
    pub(crate) const fn curve(self) -> Option<&'static [u8]> {
        match self {
            Self::Audit => Some(ED25519_PARAMETERS),
            Self::AuditP256 | Self::Tls => Some(P256_PARAMETERS),
            Self::Store | Self::Pepper | Self::Epoch(..) => None,
        }
    }

    /// What the HSM may answer when asked for the key's size or curve.
    pub(crate) fn sizes_or_curves(self) -> Vec<Attribute> {
        match self {
            Self::Store | Self::Pepper | Self::Epoch(..) => vec![Attribute::ValueLen(SECRET_BYTES.into())],
            Self::Audit => [ED25519_PARAMETERS, ED25519_CURVE_NAME].map(|curve| Attribute::EcParams(curve.to_vec())).to_vec(),
            Self::AuditP256 | Self::Tls => vec![Attribute::EcParams(P256_PARAMETERS.to_vec())],
        }
    }

    /// How it is generated.
    pub(crate) const fn generation(self) -> Mechanism<'static> {
        match self {
            Self::Store | Self::Epoch(..) => Mechanism::AesKeyGen,
            Self::Audit => Mechanism::EccEdwardsKeyPairGen,
            Self::AuditP256 | Self::Tls => Mechanism::EccKeyPairGen,
            Self::Pepper => Mechanism::GenericSecretKeyGen,
        }
    }

    /// The template of the key that must not leave: private, sensitive, not extractable, unchangeable, and its one task. That of an epoch cannot be
    /// copied inside the HSM either, since its end is the end of every copy, and can be destroyed.
    pub(crate) fn template(self) -> Vec<Attribute> {
        let mut template = vec![
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Modifiable(false),
            Attribute::Label(self.label().into()),
            Attribute::Id(self.label().into()),
        ];
        template.extend(self.tasks());
        if self.ends() {
            template.extend([Attribute::Copyable(false), Attribute::Destroyable(true)]);
        }
        if self.curve().is_none() {
            template.push(Attribute::ValueLen(SECRET_BYTES.into()));
        }
        template
    }

    /// The template of the public half; empty for a secret key.
    pub(crate) fn public_template(self) -> Vec<Attribute> {
        self.curve().map_or_else(Vec::new, |curve| {
            vec![
                Attribute::Token(true),
                Attribute::Private(false),
                Attribute::Modifiable(false),
                Attribute::Verify(true),
                Attribute::Encrypt(false),
                Attribute::Wrap(false),
                Attribute::Label(self.label().into()),
                Attribute::Id(self.label().into()),
                Attribute::EcParams(curve.to_vec()),
            ]
        })
    }

    /// What the key may do and may not, each listed, so that no module's default decides.
    fn tasks(self) -> impl Iterator<Item = Attribute> {
        Task::ALL.iter().filter(move |task| task.applies_to(self)).map(move |task| (task.attribute)(task.is_of(self)))
    }
}

/// A thing that keys can be allowed to do.
pub(crate) struct Task {
    attribute: fn(bool) -> Attribute,
    /// The attribute's type, for reading it back.
    pub(crate) attribute_type: AttributeType,
    /// "wrap other keys".
    pub(crate) words: &'static str,
}

impl Task {
    pub(crate) const ALL: &'static [Self] = &[
        Self { attribute: Attribute::Encrypt, attribute_type: AttributeType::Encrypt, words: "encrypt" },
        Self { attribute: Attribute::Decrypt, attribute_type: AttributeType::Decrypt, words: "decrypt" },
        Self { attribute: Attribute::Sign, attribute_type: AttributeType::Sign, words: "sign" },
        Self { attribute: Attribute::Verify, attribute_type: AttributeType::Verify, words: "verify" },
        Self { attribute: Attribute::Wrap, attribute_type: AttributeType::Wrap, words: "wrap other keys" },
        Self { attribute: Attribute::Unwrap, attribute_type: AttributeType::Unwrap, words: "unwrap other keys" },
        Self { attribute: Attribute::Derive, attribute_type: AttributeType::Derive, words: "derive other keys" },
    ];

    /// The attribute as it reads where the task is allowed.
    pub(crate) fn allowed(&self) -> Attribute {
        (self.attribute)(true)
    }

    /// The store's key and the epochs' seal, the others sign; no key does anything else.
    pub(crate) fn is_of(&self, key: HsmKey) -> bool {
        match key {
            HsmKey::Store | HsmKey::Epoch(..) => matches!(self.attribute_type, AttributeType::Encrypt | AttributeType::Decrypt),
            HsmKey::Audit | HsmKey::AuditP256 | HsmKey::Tls | HsmKey::Pepper => self.attribute_type == AttributeType::Sign,
        }
    }

    /// A private key has no attributes for encrypting, verifying and wrapping (PKCS#11 v2.40 section 4.9).
    pub(crate) fn applies_to(&self, key: HsmKey) -> bool {
        key.curve().is_none() || !matches!(self.attribute_type, AttributeType::Encrypt | AttributeType::Verify | AttributeType::Wrap)
    }
}
