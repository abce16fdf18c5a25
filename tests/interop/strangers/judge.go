// Judges logs with the verifier of Go's checksum database: golang.org/x/mod/sumdb/note and tlog, as Debian packages them. Reads a JSON list of
// cases on standard input, writes one of verdicts. A proof is looked at only under checkpoints that were believed, so it is false where
// one was not.
package main

import (
	"encoding/json"
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
	v := verdict{Note: true}
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
