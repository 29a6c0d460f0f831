// Gives the run up for good, after a question.
import { byId, post, run, say } from "./page.js";

async function cancel() {
  byId("cancel-dialog").close();
  byId("cancel-run").disabled = true;
  try {
    const { message } = await post(`/runs/${run}/cancel`, {});
    say(message);
    setTimeout(() => location.reload(), 2500);
  } catch (trouble) {
    byId("cancel-run").disabled = false;
    say(trouble.message, "trouble");
  }
}

byId("cancel-run").addEventListener("click", () => byId("cancel-dialog").showModal());
byId("cancel-no").addEventListener("click", () => byId("cancel-dialog").close());
byId("cancel-yes").addEventListener("click", cancel);
