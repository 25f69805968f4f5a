import { render } from "preact";
import { App } from "./app";
import { startKeys } from "./keys";
import { startSession } from "./session";
import "./theme.css";
import "./layout.css";
import "./parts.css";
import "./feeds.css";
import "./waves.css";
import "./leverage.css";

const root = document.getElementById("app");
if (root) {
  render(<App />, root);
  startKeys();
  void startSession();
}
