# shellcheck shell=bash
# lib.sh: what .ci/run and .ci/nightly share. Source it from the project's root.
# It sets up an environment, a temporary directory that goes away at the end,
# and steps that say how long they took.
# shellcheck disable=SC2034 # some of it only one of the two uses
set -euo pipefail

MODULE=github.com/dirbridge/dirbridge
STATICCHECK=honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK=golang.org/x/vuln/cmd/govulncheck@v1.8.0
SHARED=${DIRBRIDGE_SHARED:-../shared}

export CI=true                                # a test that can't run fails instead of being skipped
export CGO_ENABLED=0                          # nothing here needs cgo but the race detector
export GOFLAGS="${GOFLAGS:-} -buildvcs=false" # the checkout may belong to somebody else

TMP=$(mktemp -d)
STEP="setting up"
TIMES=()
BEFORE=

die() {
	echo "$0: $*" >&2
	exit 1
}

finish() {
	local rc=$?
	chmod -R u+w "$TMP" && rm -rf "$TMP"
	printf '\n%s\n' "=== times"
	((${#TIMES[@]} == 0)) || printf '%s\n' "${TIMES[@]}"
	printf '%6d s  in all\n' "$SECONDS"
	if ((rc != 0)); then
		echo "FAILED in: $STEP"
	else
		echo "PASSED"
	fi
	exit "$rc"
}
trap finish EXIT

# step NAME COMMAND...: run it under a header; the script ends if it fails.
step() {
	STEP=$1
	shift
	printf '\n=== %s\n' "$STEP"
	local t=$SECONDS
	"$@"
	TIMES+=("$(printf '%6d s  %s' $((SECONDS - t)) "$STEP")")
	printf -- '--- %d s\n' $((SECONDS - t))
}

# packages SDK: the packages that reach the Graph SDK (yes) or don't (no), they
# or their tests. The SDK compiles in minutes and 5.2 GiB, once for each set of
# flags.
packages() {
	go list -test -f '{{.ImportPath}}|{{join .Deps " "}}' ./... | awk -F'|' -v want="$1" '
		{
			p = $1
			sub(/ .*/, "", p); sub(/\.test$/, "", p); sub(/_test$/, "", p)
			sdk[p] = sdk[p] || $2 ~ /github\.com\/microsoftgraph\/msgraph-sdk-go\//
		}
		END { for (p in sdk) if ((want == "yes") == (sdk[p] == 1)) print p }' | sort
}

# having PATTERN: the directories whose test files have a line like that.
having() {
	{ grep -rlE --include='*_test.go' -e "$1" . || true; } | xargs -r -n1 dirname | sort -u
}

# parallel: how many packages to compile and test at once. Two compilers of the
# SDK's size don't fit into a small machine.
parallel() {
	if (($(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo) >= 12)); then echo 2; else echo 1; fi
}

prepare() {
	command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin
	command -v go >/dev/null || die "Go isn't installed"
	local p missing=()
	for p in git gcc libc6-dev; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true) == installed ]] || missing+=("$p")
	done
	if ((${#missing[@]})); then
		apt-get update -q
		DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
	fi
	[[ -d $SHARED/contract ]] || die "$SHARED/contract isn't there: put it beside the checkout or name it by DIRBRIDGE_SHARED"
	SHARED=$(cd -- "$SHARED" && pwd)
	export DIRBRIDGE_SHARED=$SHARED
	TMPDIR=$TMP "$SHARED/testbed/samba-ad.sh" install # it leaves an empty file
	go version
	go mod download
	BEFORE=$(tree_state)
}

tree_state() { git status --porcelain 2>/dev/null || true; }

# fuzz SECONDS yes|no: every fuzz target of the packages that reach the SDK or
# don't. A finding is written to testdata/fuzz of its package.
fuzz() {
	local seconds=$1 dir target list dirs
	list=$(packages "$2")
	dirs=$(having '^func Fuzz')
	for dir in $dirs; do
		grep -qxF "$MODULE/${dir#./}" <<<"$list" || continue
		while read -r target; do
			echo "$dir $target"
			go test -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" "$dir"
		done < <(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$dir"/*_test.go)
	done
}

# embed: a program that embeds the engine without graphtarget, as a stranger
# would build it: in a module of its own, with an empty module cache. Nothing of
# the Graph SDK may be downloaded. Sets EMBED_SECONDS, the time of its build with
# an empty build cache.
embed() {
	local dir=$TMP/embed
	rm -rf "$dir"
	mkdir -p "$dir/program"
	cp internal/layering/embed/*.go "$dir/program"
	cp go.sum "$dir/program"
	printf 'module example.com/embed\n\ngo 1.26.0\n\nrequire %s v0.0.0\n\nreplace %s => %s\n' \
		"$MODULE" "$MODULE" "$PWD" >"$dir/program/go.mod"
	local vars=(GOMODCACHE="$dir/modules" GOCACHE="$dir/cache" GOFLAGS="-modcacherw -buildvcs=false"
		GOPROXY="file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)")
	(
		cd "$dir/program"
		env "${vars[@]}" go mod tidy
	)
	echo "modules that it downloads:"
	(cd "$dir/modules/cache/download" && find . -name '*.zip' | sort | sed -E 's,^\./,  ,; s,/@v/, ,; s,\.zip$,,')
	if find "$dir/modules/cache/download" -name '*.zip' | grep -E '/github\.com/(microsoftgraph|microsoft|!azure/azure-sdk-for-go|!azure!a!d)/'; then
		die "the Graph SDK is downloaded by a program that doesn't use it"
	fi
	local TIMEFORMAT='%0R %0U %0S' user system
	{ time (cd "$dir/program" && env "${vars[@]}" go build -o program . 2>"$dir/log") || true; } 2>"$dir/time"
	cat "$dir/log"
	read -r EMBED_SECONDS user system <"$dir/time"
	[[ -x $dir/program/program ]] || die "the embedding program doesn't build"
	rm -rf "$dir"
	echo "cold build: $EMBED_SECONDS s, of CPU $((user + system)) s (to be under 30 s on two quiet cores)"
}

# cross PACKAGES...: build and vet them for other systems.
cross() {
	local os
	for os in windows darwin; do
		echo "$os"
		GOOS=$os go build "$@"
		GOOS=$os go vet "$@"
	done
}

unchanged() {
	local after
	after=$(tree_state)
	[[ $after == "$BEFORE" ]] || die "the run left something behind:"$'\n'"$(diff <(echo "$BEFORE") <(echo "$after") || true)"
}
