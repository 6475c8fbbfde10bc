#!/usr/bin/env bash
# Runs the conformance battery as a step of a GitHub job. action.yml passes its inputs in the variables VESCHUB_*.
#
# Writes report.json, report.html, junit.xml and summary.md to $VESCHUB_REPORTS, adds to the summary of the job,
# annotates its log, and ends with the exit code of the battery: never 0 if a case failed or no case was judged.
set -euo pipefail

fail() {
    echo "::error title=conformance::$*"
    exit 2
}

harness=${VESCHUB_PATH:-veschub-harness}
if [[ -d $harness ]]; then
    harness=$harness/veschub-harness
fi
command -v -- "$harness" >/dev/null || fail "there is no program $harness; set the input path, or add its folder to PATH"
found=$("$harness" --version) || fail "$harness cannot be run here"
wanted=${VESCHUB_VERSION:-}
if [[ -n $wanted && $found != "veschub-harness ${wanted#v}" ]]; then
    fail "the input version asks for ${wanted#v}, but $harness is $found"
fi

args=(conformance --json --seed "${VESCHUB_SEED:-0}")
case ${VESCHUB_STRICT:-false} in
    true) args+=(--strict) ;;
    false) ;;
    *) fail "the input strict must be true or false, not '$VESCHUB_STRICT'" ;;
esac
[[ -z ${VESCHUB_CLIENT:-} ]] || args+=(--client "$VESCHUB_CLIENT")
[[ -z ${VESCHUB_SHARD:-} ]] || args+=(--shard "$VESCHUB_SHARD")
[[ -z ${VESCHUB_KNOWN_DEFECTS:-} ]] || args+=(--known-defects "$VESCHUB_KNOWN_DEFECTS")
# Split at blanks only: the shell does not replace patterns by names of files.
read -r -d '' -a sections <<<"${VESCHUB_SECTIONS:-}" || true
args+=(-- ${sections[@]+"${sections[@]}"})

reports=${VESCHUB_REPORTS:-conformance}
mkdir -p -- "$reports"
json=$reports/report.json html=$reports/report.html junit=$reports/junit.xml summary=$reports/summary.md

# The output of a client must not be taken for commands of the job.
pause=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$pause"
code=0
"$harness" "${args[@]}" >"$json" || code=$?
# If the battery could not be run, it has printed why, and there is no report.
if ((code != 0 && code != 1 && code != 3)); then
    echo "::$pause::"
    fail "the battery could not be run, exit code $code; see above"
fi
"$harness" report -- "$json" || true
echo "::$pause::"

again=0
"$harness" report --html "$html" --junit "$junit" --markdown "$summary" --github -- "$json" || again=$?
((again == code)) || fail "the reports could not be written, exit code $again"

if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then
    cat -- "$summary" >>"$GITHUB_STEP_SUMMARY"
fi
if [[ -n ${GITHUB_OUTPUT:-} ]]; then
    printf '%s\n' "exit-code=$code" "html=$html" "junit=$junit" "json=$json" >>"$GITHUB_OUTPUT"
fi
exit "$code"
