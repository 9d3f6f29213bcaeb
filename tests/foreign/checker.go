// Checks what the ledger hands out with code that is not the ledger's: Go's own checksum database
// packages, golang.org/x/mod/sumdb/note and sumdb/tlog, as Debian ships them.
//
//	checker note FILE KEY                    a signed checkpoint
//	checker tiles FOLDER KEY                 every tile, every entry, proofs made again
//	checker entry PROOF ENTRY KEY            one entry by its tlog-proof
//	checker growth PROOF OLD KEY             that a log continues an older checkpoint
//
// It prints what it accepted, and ends with status 1 and the reason where it refuses.
package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/ioutil"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error, what string) {
	if err != nil {
		fmt.Printf("refused: %s: %v\n", what, err)
		os.Exit(1)
	}
}

func read(path string) []byte {
	data, err := ioutil.ReadFile(path)
	must(err, "reading")
	return data
}

// opened verifies a signed checkpoint and gives the tree it speaks of.
func opened(signed []byte, key string) tlog.Tree {
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	must(err, "key")
	found, err := note.Open(signed, note.VerifierList(verifier))
	must(err, "note")
	lines := strings.Split(found.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		must(fmt.Errorf("%q", found.Text), "checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err, "size")
	return tlog.Tree{N: size, Hash: hash(lines[2])}
}

func hash(line string) tlog.Hash {
	data, err := base64.StdEncoding.DecodeString(line)
	if err == nil && len(data) != tlog.HashSize {
		err = fmt.Errorf("%d bytes", len(data))
	}
	must(err, "hash")
	var found tlog.Hash
	copy(found[:], data)
	return found
}

// parted gives the number and the hashes of a proof, and the checkpoint below it.
func parted(path, word string) (int64, []tlog.Hash, []byte) {
	parts := bytes.SplitN(read(path), []byte("\n\n"), 2)
	if len(parts) != 2 {
		must(fmt.Errorf("no empty line"), "proof")
	}
	lines := strings.Split(string(parts[0]), "\n")
	if lines[0] == "c2sp.org/tlog-proof@v1" {
		lines = lines[1:]
	}
	if !strings.HasPrefix(lines[0], word+" ") {
		must(fmt.Errorf("%q", lines[0]), "proof")
	}
	number, err := strconv.ParseInt(lines[0][len(word)+1:], 10, 64)
	must(err, "number")
	var proof []tlog.Hash
	for _, line := range lines[1:] {
		proof = append(proof, hash(line))
	}
	return number, proof, parts[1]
}

// folder serves the tiles of a directory. Go's own paths name the height, which C2SP leaves out.
type folder string

func (folder) Height() int { return 8 }

func (folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := ioutil.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s holds %d bytes", path, len(data))
		}
		found = append(found, data)
	}
	return found, nil
}

// entries reads the entries of one tile, each behind its length.
func entries(f folder, index, width int64) [][]byte {
	tile := tlog.Tile{H: 8, L: 0, N: index, W: int(width)}
	path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
	data := read(filepath.Join(string(f), path))
	var found [][]byte
	for len(data) > 0 {
		if len(data) < 2 {
			must(fmt.Errorf("%s", path), "entries")
		}
		end := 2 + int(data[0])<<8 + int(data[1])
		if end > len(data) {
			must(fmt.Errorf("%s", path), "entries")
		}
		found = append(found, data[2:end])
		data = data[end:]
	}
	if int64(len(found)) != width {
		must(fmt.Errorf("%s holds %d", path, len(found)), "entries")
	}
	return found
}

func tiles(f folder, key string) {
	tree := opened(read(filepath.Join(string(f), "checkpoint")), key)
	// What this reader returns was led to the root of the tree before.
	reader := tlog.TileHashReader(tree, f)
	for first := int64(0); first < tree.N; first += 256 {
		width := tree.N - first
		if width > 256 {
			width = 256
		}
		var indexes []int64
		for at := int64(0); at < width; at++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, first+at))
		}
		hashes, err := reader.ReadHashes(indexes)
		must(err, "tiles")
		for at, entry := range entries(f, first/256, width) {
			if tlog.RecordHash(entry) != hashes[at] {
				must(fmt.Errorf("entry %d", first+int64(at)), "entry")
			}
		}
	}
	for _, index := range []int64{0, tree.N / 2, tree.N - 1} {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		must(err, "proof")
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		must(err, "leaf")
		must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf[0]), "record")
	}
	fmt.Printf("accepted: %d entries\n", tree.N)
}

func main() {
	args := os.Args[1:]
	switch {
	case len(args) == 3 && args[0] == "note":
		fmt.Printf("accepted: size %d\n", opened(read(args[1]), args[2]).N)
	case len(args) == 3 && args[0] == "tiles":
		tiles(folder(args[1]), args[2])
	case len(args) == 4 && args[0] == "entry":
		index, proof, signed := parted(args[1], "index")
		tree := opened(signed, args[3])
		leaf := tlog.RecordHash(read(args[2]))
		must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf), "record")
		fmt.Printf("accepted: entry %d of %d\n", index, tree.N)
	case len(args) == 4 && args[0] == "growth":
		size, proof, signed := parted(args[1], "old")
		tree, old := opened(signed, args[3]), opened(read(args[2]), args[3])
		if old.N != size {
			must(fmt.Errorf("%d, not %d", old.N, size), "old size")
		}
		must(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash), "growth")
		fmt.Printf("accepted: %d continues %d\n", tree.N, old.N)
	default:
		fmt.Println("refused: see the head of checker.go for how it is called")
		os.Exit(1)
	}
}
