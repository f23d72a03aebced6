// What saving will do, said by the button and the choice of a lesson's form; it follows the choice and the video.

/** `form` has data-publication, and data-playable once its video is ready. */
export function sayWhatSavingDoes(form) {
  const button = form.querySelector('[type="submit"]');
  const { publication, playable } = form.dataset;
  if (publication === undefined) return;
  const planned = Boolean(form.querySelector('[name="publish_not_before"]')?.value);
  const moment = planned ? "planned" : playable === undefined ? "waiting" : "ready";
  for (const words of form.querySelectorAll("[data-when]")) words.hidden = words.dataset.when !== moment;
  for (const part of form.querySelectorAll("[data-when-draft]")) part.hidden = part.disabled = publication === "published";
  const chosen = form.querySelector('[name="status"]:checked')?.value;
  const plan = form.querySelector("[data-plan]");
  if (plan) plan.hidden = publication !== "published" && chosen === "draft";
  const { published, draft, waiting, ready, planned: later } = button.dataset;
  const label = publication === "published" ? published : chosen === "draft" ? draft : { waiting, ready, planned: later }[moment];
  if (label && button.textContent !== label) button.textContent = label;
}

/** The lesson was published, taken back or got its video beside the form: its choice follows unless the user is changing it. */
export function followState(form, { publication, intent, status }) {
  if (!publication) return;
  form.dataset.publication = publication;
  form.toggleAttribute("data-playable", status === "ready");
  const was = form.querySelector('[name="status_was"]');
  if (was && intent) {
    const touched = form.querySelector('[name="status"]:checked')?.value !== was.value;
    was.value = intent;
    const box = form.querySelector(`[name="status"][value="${intent}"]`);
    if (box && !touched) box.checked = true;
  }
  sayWhatSavingDoes(form);
}
