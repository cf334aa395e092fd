#!/usr/bin/env bash
# Builds imagekeeper, starts the cloud simulator, and walks the specs in specs/ through validate, plan, apply, drift and repair,
# on three clouds, and through a schedule of backups.
# shellcheck source=tests/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

bold() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# Shows a command and what it prints; the exit status is told, never fatal.
run() {
    printf '\033[36m$ %s\033[0m\n' "$*"
    local status=0
    "$@" || status=$?
    [ $status -eq 0 ] || echo "(exit status $status)"
}

# shellcheck disable=SC2086
install_packages $packages_build
bold "Building"
copy_sources
mkdir "$work/build"
build() {
    "$work/source/autogen.sh"
    cd "$work/build"
    "$work/source/configure"
    make -j"$(nproc)" all tests/simulator/oci-simulator
}
(build) >"$work/build.log" 2>&1 || { tail -50 "$work/build.log"; exit 1; }
export PATH=$work/build:$PATH

bold "Clouds to play with: the simulator, strict about signatures, tokens, etags and retry tokens"
mkdir -p "$work/cloud" "$work/home/.oci"
"$work/build/tests/simulator/oci-simulator" --directory "$work/cloud" --public-key "$work/source/tests/data/vectors/oci-test-key-public.pem" &
started+=($!)
for _ in $(seq 300); do [ -e "$work/cloud/ready" ] && break; sleep 0.02; done
value() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/cloud/ready" "$1"; }
endpoint=$(value endpoint)
control=$(value control)
control() { curl -fsS -X POST -H 'content-type: application/json' --data "$2" "$control$1" >/dev/null; }

compartment=ocid1.compartment.oc1..aaaaaaaaexamplecompartment
automatic='"Oracle-Tags":{"CreatedBy":"pipeline","CreatedOn":"2026-11-01T08:00:00.000Z"}'
image() { # id, name, operating system, version, free-form tags, more defined tags
    control /images "{\"id\":\"ocid1.image.oc1.phx.$1\",\"compartmentId\":\"$compartment\",\"displayName\":\"$2\",
        \"operatingSystem\":\"$3\",\"operatingSystemVersion\":\"$4\",\"freeformTags\":$5,\"definedTags\":{$automatic$6}}"
}
image aaaaaaaaol9golden "ol9 2026-11" "Oracle Linux" 9 '{"team":"base","tier":"silver","legacy":"yes","owner":"mia"}' ''
image aaaaaaaaubuntugolden "Ubuntu 24.04 golden" "Canonical Ubuntu" 24.04 '{"team":"base","tier":"golden"}' ''
image aaaaaaaabuild1 "build-0117" "Oracle Linux" 9 '{"team":"base","tmp":"1"}' ',"Cost":{"Unit":"7"}'
control /bootVolumes "{\"id\":\"ocid1.bootvolume.oc1.phx.aaaaaaaadb\",\"compartmentId\":\"$compartment\",\"displayName\":\"db\"}"
control /volumes "{\"id\":\"ocid1.volume.oc1.phx.aaaaaaaaledger\",\"compartmentId\":\"$compartment\",\"displayName\":\"ledger\",
    \"freeformTags\":{\"stage\":\"prod\"}}"
control /volumeBackups "{\"id\":\"ocid1.volumebackup.oc1.phx.aaaaaaaaledger1\",\"compartmentId\":\"$compartment\",\"displayName\":\"by hand\",
    \"volumeId\":\"ocid1.volume.oc1.phx.aaaaaaaaledger\",\"freeformTags\":{\"stage\":\"prod\",\"tmp\":\"1\"}}"
image aaaaaaaahandmade "by hand" "Custom" 1 '{"team":"nobody"}' ''
rested='"created_at":"2026-11-01T08:00:00Z","updated_at":"2026-11-01T08:00:00Z"' # nobody is at work on them
project=0123456789abcdef0123456789abcdef
cloud_image() { # id, name, more
    control /cloudimages "{\"id\":\"$1\",\"name\":\"$2\",\"owner\":\"$project\",$rested,$3}"
}
euler=33ad552d-1149-471c-8190-ff6776174a00
cloud_image $euler "euler 2026-11" '"min_ram":1024,"hw_firmware_type":"uefi","ticket":"4711"'
cloud_image 5eed0000-0000-4000-8000-000000000001 pipeline-0117 '"__os_type":"Linux","min_ram":0'
control /glanceimages "{\"id\":\"61a9ce00-0000-4000-8000-000000000001\",\"name\":\"debian-13-20261101\",\"owner\":\"5ba9b3a7c31f4d2c8e6f0a1d2b3c4d5e\",
    $rested,\"visibility\":\"private\",\"min_disk\":4,\"tags\":[\"golden\",\"november\"],\"hw_disk_bus\":\"ide\",\"hw_vif_model\":\"e1000\"}"

cp "$work/source/tests/data/vectors/oci-test-key.pem" "$work/home/.oci/key.pem"
cat >"$work/home/.oci/config" <<EOF
[DEFAULT]
user=ocid1.user.oc1..aaaaaaaaexampleuser
tenancy=ocid1.tenancy.oc1..aaaaaaaaexampletenancy
fingerprint=90:d2:64:b2:3a:be:26:49:80:18:89:9e:6e:39:b8:c8
key_file=$work/home/.oci/key.pem
region=us-phoenix-1
EOF
chmod 600 "$work/home/.oci/config" "$work/home/.oci/key.pem"
mkdir -p "$work/home/.config/openstack"
secret() { (umask 077 && cat >"$1"); }
secret "$work/home/ak" <<<TESTACCESSKEY0000001
secret "$work/home/sk" <<<TestSecretKey000000000000000000000000001
secret "$work/home/.config/openstack/clouds.yaml" <<EOF
clouds:
  lab:
    auth: {auth_url: $endpoint/identity/v3, username: demo, password: Demo-Password-1, project_name: demo, user_domain_name: Default, project_domain_name: Default}
    region_name: RegionOne
    cacert: $work/cloud/ca.pem
EOF
cat >"$work/imagekeeper.yaml" <<EOF
specs: source/specs
interval: 1s
accounts:
  - name: prod
    type: oci
    configFile: $work/home/.oci/config
    endpoint: $endpoint
    caFile: cloud/ca.pem
  - name: hw
    type: ims
    projectId: $project
    accessKeyFile: home/ak
    secretKeyFile: home/sk
    endpoint: $endpoint
    caFile: cloud/ca.pem
  - name: lab
    type: openstack
    cloud: lab
EOF
cd "$work"
export HOME=$work/home

bold "The specs"
run sed -n '1,15p' source/specs/golden.yaml
bold "Are they well-formed? (no network)"
run imagekeeper validate --config imagekeeper.yaml
bold "A slip of the pen is shown with its place"
mkdir typo && sed 's/displayName: Oracle/dispalyName: Oracle/' source/specs/golden.yaml >typo/golden.yaml
run imagekeeper validate --config imagekeeper.yaml --specs typo
bold "What would change?"
run imagekeeper plan --config imagekeeper.yaml
bold "Change it"
run imagekeeper apply --config imagekeeper.yaml
bold "What was sent: only what differs; on OCI under the etag of the state that was looked at, elsewhere right after a look"
python3 -c '
import json, sys
for r in map(json.loads, open(sys.argv[1])):
    if r["method"] in ("PUT", "PATCH") or r["method"] == "POST" and "tokens" not in r["path"]:
        print("%s %s" % (r["method"], r["path"]))
        for header, value in (("if-match", r["ifMatch"]), ("opc-retry-token", r["retryToken"])):
            if value:
                print("    %s: %s" % (header, value))
        print("    " + json.dumps(r["body"]))
' cloud/requests.jsonl
bold "The backup is on its way, and bears the tag by which it is known again"
curl -fsS "$control/bootVolumeBackups" -o backups.json
python3 -c '
import json
backup, = json.load(open("backups.json"))["bootVolumeBackups"]
for member in ("id", "displayName", "type", "freeformTags"):
    print("    %s: %s" % (member, json.dumps(backup["bootVolumeBackup"][member])))'
bold "Nothing left to do, but for what is only observed; the backup is not made again"
run imagekeeper plan --config imagekeeper.yaml

bold "The daemon keeps it so; somebody renames a golden image in the console and takes a tag away"
imagekeeperd --config imagekeeper.yaml 2>daemon.log &
daemon=$!
started+=("$daemon")
for _ in $(seq 500); do grep -q 'specs loaded' daemon.log && break; sleep 0.02; done
control /images/ocid1.image.oc1.phx.aaaaaaaaol9golden/change '{"displayName":"do not use","freeformTags":{"team":"base","owner":"mia"}}'
for _ in $(seq 1000); do grep -q 'do not use' daemon.log && break; sleep 0.02; done
kill -TERM $daemon
wait $daemon
bold "What the journal says"
cat daemon.log
grep -q 'do not use' daemon.log
bold "And the image is as declared again"
curl -fsS "$control/images/ocid1.image.oc1.phx.aaaaaaaaol9golden" -o image.json
python3 -c '
import json
image = json.load(open("image.json"))["image"]
for member in ("displayName", "freeformTags", "definedTags"):
    print("    %s: %s" % (member, json.dumps(image[member])))
assert image["displayName"] == "Oracle Linux 9 golden"'

bold "Backups by a calendar: the schedule"
run cat source/specs/nightly.yaml
bold "Two volumes with the tag appear, with twelve nights of backups; what comes next, what became of the last ones, what stays and why?"
control /generate "{\"volumes\":2,\"backups\":12,\"compartmentId\":\"$compartment\",\"volumeName\":\"db-{volume}\",
    \"baseTime\":\"2026-11-11T01:00:00Z\",\"stepSeconds\":86400,\"volume\":{\"freeformTags\":{\"backup\":\"nightly\"}},
    \"backup\":{\"freeformTags\":{\"backup\":\"nightly\",\"imagekeeper\":\"db-nightly@{time}\"}}}"
run imagekeeper calendar db-nightly --config imagekeeper.yaml --iterations 3 --base-time 2026-11-22T12:00:00Z

bold "Another one, twice a minute, so that nobody has to wait for the night; its slot comes due, and the backup is followed until it is there"
mkdir frequent && cat >frequent/frequent.yaml <<EOF
apiVersion: imagekeeper/v1
kind: OciBootVolumeBackupSchedule
metadata: {name: frequent}
spec:
  account: prod
  bootVolumeId: ocid1.bootvolume.oc1.phx.aaaaaaaadb
  onCalendar: "*:*:0/30"
  displayName: "{volume}-{slot}"
  keep: {last: 2}
  prune: true
EOF
run cat frequent/frequent.yaml
control /config '{"creatingSeconds":2}'
imagekeeperd --config imagekeeper.yaml --specs frequent 2>frequent.log &
daemon=$!
started+=("$daemon")
for _ in $(seq 2000); do grep -q 'is AVAILABLE' frequent.log && break; sleep 0.05; done
kill -TERM $daemon
wait $daemon
bold "What the journal says"
cat frequent.log
grep -q 'is AVAILABLE' frequent.log
bold "And the calendar"
run imagekeeper calendar frequent --config imagekeeper.yaml --specs frequent --iterations 2
bold "An image of Huawei Cloud: somebody gives it another name and less memory, past any etag, and it is repaired"
imagekeeperd --config imagekeeper.yaml --specs source/specs/huawei.yaml 2>huawei.log &
daemon=$!
started+=("$daemon")
for _ in $(seq 500); do grep -q 'specs loaded' huawei.log && break; sleep 0.02; done
control /cloudimages/$euler/change '{"name":"do not use","min_ram":512}'
for _ in $(seq 2000); do grep -q 'do not use' huawei.log && break; sleep 0.02; done
kill -TERM $daemon
wait $daemon
cat huawei.log
grep -q 'do not use' huawei.log
curl -fsS "$control/cloudimages/$euler" -o image.json
python3 -c '
import json
image = json.load(open("image.json"))["cloudImage"]
for member in ("name", "__description", "min_ram", "hw_firmware_type", "team"):
    print("    %s: %s" % (member, json.dumps(image[member])))
assert (image["name"], image["min_ram"]) == ("EulerOS golden", 2048)'
bold "That was all; nothing is left behind."
