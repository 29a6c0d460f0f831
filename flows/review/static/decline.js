// Decides that none of the run's pictures is bought again, after a question that takes the reason.
import { byId, post, run, say } from "./page.js";

async function decline() {
  byId("decline-yes").disabled = true;
  try {
    const { message } = await post(`/runs/${run}/decline`, { reason: byId("decline-reason").value });
    byId("decline-dialog").close();
    say(message);
    setTimeout(() => location.assign("/"), 2000);
  } catch (trouble) {
    byId("decline-dialog").close();
    say(trouble.message, "trouble");
  } finally {
    byId("decline-yes").disabled = false;
  }
}

byId("decline").addEventListener("click", () => byId("decline-dialog").showModal());
byId("decline-no").addEventListener("click", () => byId("decline-dialog").close());
byId("decline-yes").addEventListener("click", decline);
