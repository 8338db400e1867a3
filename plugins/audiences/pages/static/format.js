/** Numbers and times as people write them, in the language of the browser and the time zone chosen in Airflow. */

const number = new Intl.NumberFormat();

/** `12,345`; a dash for what is not known. */
export const count = (value) => (value === null || value === undefined ? "–" : number.format(value));

/** `+1,204`, `−310`, `0`. */
export function change(value) {
  if (!value) return "0";
  return `${value > 0 ? "+" : "−"}${number.format(Math.abs(value))}`;
}

/** `12.3 %` of a fraction. */
export const percent = (value, digits = 1) =>
  value === null || value === undefined ? "–" : `${(100 * value).toFixed(digits)} %`;

/** `1 user`, `2 users`. */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** The zone chosen in Airflow's own menu, where it keeps it. */
function zone() {
  try {
    return JSON.parse(globalThis.localStorage.getItem("timezone")) || undefined;
  } catch {
    return globalThis.localStorage.getItem("timezone") || undefined;
  }
}

function inZone(options) {
  try {
    return new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone() });
  } catch {
    return new Intl.DateTimeFormat(undefined, options);
  }
}

/** `29 Nov 2026, 14:05`. */
export const moment = (iso) =>
  iso ? inZone({ dateStyle: "medium", timeStyle: "short", hourCycle: "h23" }).format(new Date(iso)) : "–";

/** The same with its zone, which need not be the one in which the campaign's file says it. */
export const momentInZone = (iso) => (iso ? inZone(WITH_ZONE).format(new Date(iso)) : "–");

const WITH_ZONE = {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short",
};

const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

/** `29 Nov`, of a date without a time, which is the same day in every zone. */
export const day = (date) => (date ? DATE.format(new Date(date)) : "–");

const STEPS = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", Infinity],
];

/** `5 minutes ago`, `in 2 days`. What is rounded up to a whole of the next unit is told in that. */
export function ago(iso, now = Date.now()) {
  if (!iso) return "–";
  let value = (new Date(iso).getTime() - now) / 1_000;
  const [unit] = STEPS.find(([, most]) => {
    if (Math.abs(Math.round(value)) < most) return true;
    value /= most;
    return false;
  });
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.round(value), unit);
}

/** `850 ms`, `12 s`, `3 min 5 s`, `2 h 10 min`; rounded before it is cut into units, so that none of them is full. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const [thousandths, whole, minutes] = [1_000, 1, 1 / 60].map((parts) => Math.round(seconds * parts));
  if (thousandths && thousandths < 1_000) return `${thousandths} ms`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return both(whole, 60, "min", "s");
  return both(minutes, 60, "h", "min");
}

const both = (value, parts, unit, smaller) =>
  value % parts ? `${Math.floor(value / parts)} ${unit} ${value % parts} ${smaller}` : `${value / parts} ${unit}`;
