// Statements: one at a time, answered by one key, blind to the judge. A statement that depends on one that is not true is not asked.
import { byId, count, get, isFree, make, name, post, run, say } from "./page.js";

const STEP = 20;
const ANSWERS = { y: "yes", n: "no", c: "cannot_tell" };
const BUTTONS = { yes: "yes", no: "no", "cannot-tell": "cannot_tell" };
const FOUND = { "sees it": "sees it", "cannot see it": "cannot see it", "people cannot tell": "people can't tell", undecided: "too few answers" };

let facts = { pictures: [] };
let wanted = STEP;
let at = 0;
let isBusy = false;

const isOut = (picture, one) => {
  if (one.parent === null) return false;
  const parent = picture.statements[one.parent];
  return ["no", "cannot_tell"].includes(parent.said) || isOut(picture, parent);
};
// What is asked in the order of the pictures; it changes with the answers to what others depend on.
const asked = () => facts.pictures.flatMap((picture) => picture.statements.filter((one) => !isOut(picture, one)).map((one) => ({ picture, one })));

function show() {
  const all = asked();
  const current = all[at];
  byId("none").hidden = facts.pictures.length > 0;
  byId("result").hidden = current !== undefined || all.length === 0;
  byId("asking").hidden = current === undefined;
  if (current === undefined) return;
  const n_done = all.filter(({ one }) => one.said !== null).length;
  byId("progress").max = all.length;
  byId("progress").value = n_done;
  byId("progress-text").textContent = `${n_done} of ${all.length} · picture ${facts.pictures.indexOf(current.picture) + 1} of ${facts.pictures.length}`;
  byId("statement").textContent = current.one.text;
  byId("back").disabled = at === 0;
  for (const [id, said] of Object.entries(BUTTONS)) byId(id).setAttribute("aria-pressed", String(current.one.said === said));
  showPicture(current.picture, all.slice(at).find(({ picture }) => picture !== current.picture)?.picture);
}

function showPicture(picture, next) {
  const place = byId("looked-at");
  if (place.dataset.id !== picture.id) {
    place.dataset.id = picture.id;
    const beside = Array.from({ length: picture.n_beside }, (_, number) => make("figure", {},
      make("img", { src: `/runs/${run}/beside/${picture.id}/${number}`, alt: "What it was made from" }),
      make("figcaption", { textContent: "Made from" })));
    place.replaceChildren(make("img", { src: `/pictures/${picture.id}`, alt: "The picture" }), ...beside);
  }
  if (next) new Image().src = `/pictures/${next.id}`;
}

// One answer at a time; the page goes on once the ledger has it.
async function answer(said) {
  const current = asked()[at];
  if (isBusy || current === undefined) return;
  isBusy = true;
  try {
    await post(`/runs/${run}/statements`, { candidate_id: current.picture.id, statement: current.one.text, answer: said });
    current.one.said = said;
    const all = asked();
    const next = all.findIndex(({ one }, place) => place > at && one.said === null);
    const first = all.findIndex(({ one }) => one.said === null);
    at = next >= 0 ? next : first >= 0 ? first : all.length;
    if (at === all.length) await load();
    else show();
  } catch (trouble) {
    say(trouble.message, "trouble");
  } finally {
    isBusy = false;
  }
}

function back() {
  if (at > 0) at -= 1;
  show();
}

const percent = (share) => (share === null ? "–" : `${Math.round(share * 100)} %`);
const two = (value) => (value === null ? "–" : value.toFixed(2));

function figures(one) {
  const parts = [
    `right about ${one.both_yes + one.both_no} of ${one.pictures} (${percent(one.low)} to ${percent(one.high)})`,
    one.kappa === null ? "agreement unknown: the judge always said the same" : `agreement ${two(one.kappa)} (${two(one.kappa_low)} to ${two(one.kappa_high)})`,
    `overlooked ${one.only_judge} that fail, failed ${one.only_people} that are right`,
    one.noise === null ? null : `asked twice, it answered otherwise in ${percent(one.noise)}`,
  ];
  return parts.filter(Boolean).join(" · ");
}

function showResult() {
  const { result } = facts;
  const named = result.statements.filter((one) => one.proposal);
  byId("result-text").textContent = named.length
    ? `${result.model} cannot be relied on for ${count(named.length, "statement")}.`
    : `Nothing speaks against ${result.model} so far.`;
  if (result.people > 1) byId("result-text").textContent += ` By ${count(result.people, "person").replace("persons", "people")}${result.people_agree === null ? "" : `, who agree with one another in ${percent(result.people_agree)}`}.`;
  byId("checked").replaceChildren(...result.statements.map((one) => make("li", { data: { finding: one.finding } },
    make("p", { className: "checked-statement" }, make("span", { textContent: one.template, dir: "auto" }), " ", make("b", { className: "chip", textContent: FOUND[one.finding] })),
    make("p", { className: "note", textContent: one.pictures ? figures(one) : "not answered yet" }),
    one.proposal ? make("p", { textContent: one.reason }) : null)));
  byId("more").hidden = facts.pictures.length >= facts.n_judged;
}

async function load() {
  const person = encodeURIComponent(await name());
  facts = await get(`/runs/${run}/statements.json?person=${person}&n=${wanted}`);
  wanted = Math.max(wanted, facts.pictures.length);
  const first = asked().findIndex(({ one }) => one.said === null);
  at = first >= 0 ? first : asked().length;
  if (facts.result) showResult();
  show();
}

const tryTo = (act) => act().catch((trouble) => say(trouble.message, "trouble"));

addEventListener("keydown", (event) => {
  if (!isFree(event) || event.repeat || event.altKey || byId("asking").hidden) return;
  const said = ANSWERS[event.key.toLowerCase()];
  if (said === undefined && event.key !== "ArrowLeft") return;
  event.preventDefault();
  if (said === undefined) back();
  else answer(said);
});
for (const [id, said] of Object.entries(BUTTONS)) byId(id).addEventListener("click", () => answer(said));
byId("back").addEventListener("click", back);
byId("more").addEventListener("click", () => { wanted = facts.pictures.length + STEP; tryTo(load); });
byId("again").addEventListener("click", () => { at = 0; show(); });

tryTo(load);
