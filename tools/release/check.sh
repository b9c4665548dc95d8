#!/usr/bin/env bash
# Everything of a release but its publication: builds and tests what a tag holds in a clean clone, packs it, tries the package
# that would be published, and says what that is. Leaves it in build-release/. See docs/releasing.md.
#   npm run release:check -- [--skip-tests] [TAG]      default: the tag of what is checked out
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD

fail() {
  echo "release: $1" >&2
  exit 1
}
step() { printf '\n== %s\n' "$*"; }

tests=yes tag=
for argument; do
  case $argument in
    --skip-tests) tests=no ;;
    -*) fail "$argument is no option" ;;
    *) tag=$argument ;;
  esac
done
[ -n "$tag" ] || tag=$(git describe --tags --exact-match 2>/dev/null) || fail 'what is checked out has no tag'
git rev-parse --quiet --verify "refs/tags/$tag^{commit}" >/dev/null || fail "there is no tag $tag"
version=$(git show "$tag:package.json" | node -p 'JSON.parse(fs.readFileSync(0, "utf8")).version')
[ "$tag" = "v$version" ] || fail "the tag is $tag, and package.json says $version"
notes=$(git show "$tag:CHANGELOG.md" | node tools/release/notes.mjs "$version")

out=$root/build-release
rm -rf "$out"
mkdir "$out"
echo "$notes" >"$out/notes.md"
# What is no full release must not become what `npm install` takes.
[[ $version == *-* ]] && dist_tag=next || dist_tag=latest
echo "$dist_tag" >"$out/dist-tag"

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
git -c advice.detachedHead=false clone --quiet --branch "$tag" "$root" "$directory/rkllm"
cd "$directory/rkllm"

if [ "$tests" = yes ]; then
  step 'the whole of .ci/run'
  bash .ci/run
else
  step 'TESTS ARE SKIPPED (--skip-tests): only built, not tested'
  npm ci --silent
  npm run --silent build >/dev/null
  bash .ci/prebuilds
fi

step 'npm pack'
npm pack --silent --pack-destination "$out" >/dev/null
tarball=$out/rkllm-$version.tgz
mkdir "$directory/unpacked"
tar -xzf "$tarball" -C "$directory/unpacked"
node tools/prebuilt/check.mjs "$directory/unpacked/package/prebuilds"
bash .ci/packed "$tarball"

step 'what belongs to it'
npm sbom --sbom-format spdx --omit dev >"$out/sbom.spdx.json"
(cd "$directory/unpacked/package" && sha256sum prebuilds/*/rkllm.node) >"$out/SHA256SUMS"
(cd "$out" && sha256sum -- *.tgz sbom.spdx.json) >>"$out/SHA256SUMS"
cat "$out/SHA256SUMS"

step "what npm would publish as $dist_tag"
npm publish --loglevel notice --dry-run --tag "$dist_tag" "$tarball" 2>&1
node -e 'process.exit(require("./package.json").repository ? 0 : 1)' ||
  echo 'package.json has no repository: npm publishes nothing with provenance without one.'

step 'release notes'
cat "$out/notes.md"

if [ "$tests" = yes ]; then
  step "$tag is ready to be published: build-release/"
else
  step "$tag was NOT TESTED (--skip-tests): do not publish build-release/"
fi
