import { headView } from "./head_view.js";
/** @type {import("./shell.js").View} */
export const modelView = headView;
