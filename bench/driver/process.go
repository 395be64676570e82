package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Linux counts CPU time in so many ticks a second, whatever the kernel's own clock (proc(5)).
const ticks = 100

var self = []int{os.Getpid()}

// CPU time of the processes themselves; that of their children is not part of it.
func cpu(pids []int) (total time.Duration) {
	for _, pid := range pids {
		fields := statOf(pid)
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		total += time.Duration(user+system) * time.Second / ticks
	}
	return total
}

// The fields of /proc/PID/stat from the state on; the name before may have spaces.
func statOf(pid int) []string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return make([]string, 50)
	}
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}

// A line of smaps_rollup, in MB of 10^6 bytes: Rss or Pss.
func memory(pids []int, name string) (mb float64) {
	for _, pid := range pids {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); fields[0] == name+":" {
				kib, _ := strconv.Atoi(fields[1])
				mb += float64(kib) * 1024 / 1e6
			}
		}
	}
	return mb
}

func descriptors(pids []int) (count int) {
	for _, pid := range pids {
		entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		count += len(entries)
	}
	return count
}

// The process and those below it that have its name.
func familyOf(root int, name string) []int {
	family := []int{root}
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for grown := true; grown; {
		grown = false
		for _, entry := range entries {
			pid, _ := strconv.Atoi(filepath.Base(entry))
			parent, _ := strconv.Atoi(statOf(pid)[1])
			comm, _ := os.ReadFile(entry + "/comm")
			if has(family, parent) && !has(family, pid) && strings.TrimSpace(string(comm)) == name {
				family, grown = append(family, pid), true
			}
		}
	}
	return family
}

func has(list []int, wanted int) bool {
	for _, one := range list {
		if one == wanted {
			return true
		}
	}
	return false
}

// What the process whose arguments have this mark has written so far.
func writtenBy(mark string) int64 {
	entries, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, entry := range entries {
		line, _ := os.ReadFile(entry)
		if !bytes.Contains(line, []byte(mark)) || filepath.Dir(entry) == fmt.Sprintf("/proc/%d", os.Getpid()) {
			continue
		}
		text, _ := os.ReadFile(filepath.Dir(entry) + "/io")
		var read, written int64
		if n, _ := fmt.Sscanf(string(text), "rchar: %d\nwchar: %d", &read, &written); n == 2 {
			return written
		}
	}
	return 0
}
