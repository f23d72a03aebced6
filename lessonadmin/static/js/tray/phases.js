// The phases of a file on its way: the buttons that each has, what the page shows it as, and which of them leaving the page would interrupt.
export const BUTTONS = {
  making: [], waiting: ["cancel"], sending: ["pause", "cancel"], pausing: ["cancel"], paused: ["continue", "cancel"],
  failed: ["again", "cancel"], interrupted: ["go", "cancel"], unknown: ["cancel"], elsewhere: [], cancelled: ["undo"], sent: [],
};
export const SHOWN = { making: "waiting", pausing: "sending", unknown: "interrupted", sent: "sending" };
export const OPEN = ["making", "waiting", "sending", "pausing", "paused"];
