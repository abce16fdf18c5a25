// Judges logs with the verifier of Go's checksum database: golang.org/x/mod/sumdb/note and tlog, as Debian packages them. Reads a JSON list of
// cases on standard input, writes one of verdicts. A proof is looked at only under checkpoints that were believed, so it is false where
// one was not. Of cosignatures those packages know nothing: cosignatureV1 verifies one by the text of C2SP tlog-cosignature with the
// standard library's Ed25519, and note.Open finds the line, as it does for every kind of key that it is given.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Bytes are base64, as encoding/json has them.
type logCase struct {
	Key         string
	Witness     string
	Note        string
	OldNote     string `json:"old_note"`
	Leaf        []byte
	Index       int64
	Inclusion   [][]byte
	Consistency [][]byte
}

type verdict struct {
	Note        bool `json:"note"`
	Inclusion   bool `json:"inclusion"`
	Consistency bool `json:"consistency"`
	Cosigned    bool `json:"cosigned"`
}

// cosignatureV1 is a note.Verifier of a witness's Ed25519 key.
type cosignatureV1 struct {
	name   string
	hash   uint32
	public ed25519.PublicKey
}

var errNoWitness = errors.New("not the verifier key of a witness with an Ed25519 key")

// newCosignatureV1 reads name+hash+base64(0x04 || key).
func newCosignatureV1(text string) (*cosignatureV1, error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 {
		return nil, errNoWitness
	}
	typed, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(typed) != 1+ed25519.PublicKeySize || typed[0] != 0x04 {
		return nil, errNoWitness
	}
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), typed...))
	hash := binary.BigEndian.Uint32(digest[:4])
	if parts[1] != fmt.Sprintf("%08x", hash) {
		return nil, errNoWitness
	}
	return &cosignatureV1{parts[0], hash, typed[1:]}, nil
}

func (v *cosignatureV1) Name() string    { return v.name }
func (v *cosignatureV1) KeyHash() uint32 { return v.hash }

// Verify takes a timestamped_signature: a big-endian time of 64 bits, and the signature over header, time and the note's text.
func (v *cosignatureV1) Verify(text, timestamped []byte) bool {
	if len(timestamped) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(timestamped[:8])
	if at > 1<<63-1 {
		return false
	}
	message := append([]byte("cosignature/v1\ntime "+strconv.FormatUint(at, 10)+"\n"), text...)
	return ed25519.Verify(v.public, message, timestamped[8:])
}

// cosigned believes a note that the log signed and the witness cosigned, and of which no line of either is wrong.
func cosigned(signed, key, witness string) bool {
	log, err := note.NewVerifier(key)
	if err != nil {
		return false
	}
	cosigner, err := newCosignatureV1(witness)
	if err != nil {
		return false
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(log, cosigner))
	if err != nil {
		return false
	}
	var byLog, byWitness bool
	for _, line := range opened.Sigs {
		byLog = byLog || line.Name == log.Name() && line.Hash == log.KeyHash()
		byWitness = byWitness || line.Name == cosigner.name && line.Hash == cosigner.hash
	}
	return byLog && byWitness
}

type head struct {
	size int64
	root tlog.Hash
}

// open believes what note.Open believes, and reads origin, size and root out of its text.
func open(signed, key string) (head, bool) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return head{}, false
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		return head{}, false
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return head{}, false
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return head{}, false
	}
	root, err := tlog.ParseHash(lines[2])
	return head{size, root}, err == nil
}

func hashes(proof [][]byte) ([]tlog.Hash, bool) {
	var list []tlog.Hash
	for _, bytes := range proof {
		var hash tlog.Hash
		if len(bytes) != len(hash) {
			return nil, false
		}
		copy(hash[:], bytes)
		list = append(list, hash)
	}
	return list, true
}

func judge(c logCase) verdict {
	now, believed := open(c.Note, c.Key)
	if !believed {
		return verdict{}
	}
	v := verdict{Note: true, Cosigned: cosigned(c.Note, c.Key, c.Witness)}
	if proof, ok := hashes(c.Inclusion); ok {
		v.Inclusion = tlog.CheckRecord(proof, now.size, now.root, c.Index, tlog.RecordHash(c.Leaf)) == nil
	}
	if old, believed := open(c.OldNote, c.Key); believed {
		if proof, ok := hashes(c.Consistency); ok {
			v.Consistency = tlog.CheckTree(proof, now.size, now.root, old.size, old.root) == nil
		}
	}
	return v
}

func main() {
	var cases []logCase
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	verdicts := make([]verdict, 0, len(cases))
	for _, c := range cases {
		verdicts = append(verdicts, judge(c))
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
