#!/usr/bin/env bash
# Guessed: date-holidays gives one entry for each official holiday of Belarus and Russia, so that the entries can be
#     skipped one by one when working days are counted.
# Is: an entry is a time span. In January 2026 Russia has four entries for eight days: "2 January" lasts to the end of the
#     6th. Looking up the days of the entries takes 5 January for a working day; `isHoliday` knows better.
#     Belarus lacks 2 January, a public holiday there since 2020 (Presidential Decree 464 of 18 December 2019).
#     date-holidays 3.37.0.
# Seen on 2026-11-29 with Node 26.10.0.
# Why it matters: a deadline of "20 working days" that begins in December ends days too early when it goes by such a list.
#     A register has to hold the calendar that counts, with its published source.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent date-holidays@3.37.0
cat >run.mjs <<'JS'
import Holidays from 'date-holidays'

const days = Array.from({ length: 8 }, (_, index) => `2026-01-0${index + 1}`)
function january(country) {
  const holidays = new Holidays(country)
  const entries = holidays.getHolidays(2026).filter(({ date, type }) => type === 'public' && date.startsWith('2026-01'))
  const asked = days.filter((day) => (holidays.isHoliday(new Date(`${day}T12:00:00+03:00`)) || []).some(({ type }) => type === 'public'))
  return { entries: entries.map(({ date }) => date.slice(0, 10)), isHoliday: asked }
}
const seen = { RU: january('RU'), BY: january('BY') }
console.log(JSON.stringify(seen, null, 2))
const expected = {
  RU: { entries: ['2026-01-01', '2026-01-02', '2026-01-07', '2026-01-08'], isHoliday: days },
  BY: { entries: ['2026-01-01', '2026-01-07'], isHoliday: ['2026-01-01', '2026-01-07'] },
}
process.exit(JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1)
JS
node --no-warnings run.mjs || { echo 'the behaviour has changed' >&2; exit 1; }
