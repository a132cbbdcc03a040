#!/bin/sh
# Installs the foreign peers of the interoperability tests where they are
# missing and it can be done: SIPp, Kamailio,
# baresip, Node, Kannel, Perl's Net::SMPP and tshark
# from Debian (as root), the npm library "smpp" from its lock file. What cannot be installed is named; the
# tests that need it then skip, or fail when CI=true.
set -u
cd "$(dirname "$0")" || exit 1

missing=""
command -v sipp >/dev/null 2>&1 || missing="$missing sip-tester"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
[ -x /usr/sbin/bearerbox ] || missing="$missing kannel"
perl -MNet::SMPP -e1 >/dev/null 2>&1 || missing="$missing libnet-smpp-perl"
command -v tshark >/dev/null 2>&1 || missing="$missing tshark"
[ -x /usr/sbin/kamailio ] || missing="$missing kamailio"
ls /usr/lib/*/kamailio/modules/tls.so >/dev/null 2>&1 || missing="$missing kamailio-tls-modules"
command -v baresip >/dev/null 2>&1 || missing="$missing baresip-core"
command -v promtool >/dev/null 2>&1 || missing="$missing prometheus"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"

if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086 # a list of names
	apt-get update -qq >/dev/null &&
		apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

for program in sipp node npm tshark chromium baresip; do
	command -v "$program" >/dev/null 2>&1 || echo "missing: $program"
done
[ -x /usr/sbin/kamailio ] || echo "missing: kamailio"
command -v promtool >/dev/null 2>&1 || echo "missing: prometheus (promtool)"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo "missing: postgresql"
ls /usr/lib/*/kamailio/modules/tls.so >/dev/null 2>&1 || echo "missing: kamailio's TLS"
[ -x /usr/sbin/bearerbox ] || echo "missing: kannel"
perl -MNet::SMPP -e1 >/dev/null 2>&1 || echo "missing: Net::SMPP"

# cgr-engine is built in a module of its own, outside ours: it is never linked.
engine=../../bin/peers/cgr-engine
if ! [ -x "$engine" ] && { [ "${SMSC_CGRATES:-}" = 1 ] || [ "${CI:-}" = true ]; } && command -v go >/dev/null 2>&1; then
	echo "building cgr-engine"
	away=$(mktemp -d) && here=$(pwd) && mkdir -p ../../bin/peers &&
		printf 'module cgr\n\ngo 1.24\n\nrequire github.com/cgrates/cgrates v0.10.4\n' >"$away/go.mod" &&
		(cd "$away" && GOFLAGS=-mod=mod timeout 900 go build -o "$here/$engine" github.com/cgrates/cgrates/cmd/cgr-engine)
	rm -rf "$away"
fi
[ -x "$engine" ] || echo "missing: cgr-engine (SMSC_CGRATES=1 builds it)"

# npm leaves a copy of the lock file behind; as long as it is newer than ours
# there is nothing to do.
if command -v npm >/dev/null 2>&1 && ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
	echo "installing the npm peers"
	npm ci --no-audit --no-fund --loglevel=error || echo "missing: npm peers"
fi
exit 0
