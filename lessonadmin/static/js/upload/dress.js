// Gives the inside of Mux's widget the sizes and colours of the app, and no words about dropping where there is no mouse.
// Its drop zone lies two shadow roots deep and offers no part for
// its heading, so a stylesheet is adopted there, which the policy allows.

const LOOKS = `
  :host { border: 0; padding: 0; }
  slot[name="heading"] > * { margin-bottom: 0.25rem; font-size: 1rem; font-weight: 600; }
  slot[name="separator"] > * { margin-bottom: 0.5rem; font-size: 0.875rem; color: var(--quiet); }
  @media (hover: none) and (pointer: coarse) { slot[name="heading"], slot[name="separator"] { display: none; } }
  :host([active][overlay]) > #overlay { border-radius: 0.75rem; }
`;

/** Only after the listeners are in place: a file that was chosen before would be ignored. */
export function bring(widget, script, accept) {
  import(script).then(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(LOOKS);
    const zone = widget.shadowRoot?.querySelector("mux-uploader-drop");
    if (zone?.shadowRoot) zone.shadowRoot.adoptedStyleSheets = [sheet];
    // what the file dialogue offers: the kinds that are accepted, and not sound alone
    widget.shadowRoot?.querySelector("#hidden-file-input")?.setAttribute("accept", accept);
  }, () => { widget.dataset.failed = ""; });
}
