#!/bin/sh
# veschub-harness holds veschub-sim as well, so the wheel brings one program and not two.
exec "${0%/*}/veschub-harness" sim "$@"
