#!/usr/bin/env bash
# What action.yml does: scores, writes the report and the job's summary, and ends as `froc score` does.
set -euo pipefail

scored=(score --ground-truth "$GROUND_TRUTH")
while IFS= read -r line; do
  if [ -n "$line" ]; then scored+=(--predictions "$line"); fi
done <<<"$PREDICTIONS"
while IFS= read -r line; do
  if [ -n "$line" ]; then scored+=("$line"); fi
done <<<"$ARGUMENTS"

sentences=$(mktemp)
code=0
froc "${scored[@]}" --format json >"$REPORT" 2>"$sentences" || code=$?
cat "$sentences" >&2
{
  if [ "$code" != 2 ]; then froc "${scored[@]}" --format markdown 2>/dev/null || true; fi
  # What is wrong, or below a bound, as it was said.
  if [ -s "$sentences" ]; then printf '\n```text\n%s\n```\n' "$(cat "$sentences")"; fi
} >>"$GITHUB_STEP_SUMMARY"
echo "report=$REPORT" >>"$GITHUB_OUTPUT"
exit "$code"
