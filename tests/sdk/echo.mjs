// Answers what it hears in a group, so that another SDK has somebody to talk to: node echo.mjs HUB GROUP

import { WebPubSubClient, WebPubSubJsonProtocol } from "@azure/web-pubsub-client";
import { clientUrl, EVERYTHING } from "./support.mjs";

const [hub, group] = process.argv.slice(2);
const url = await clientUrl(hub, { userId: "javascript", roles: EVERYTHING });
const client = new WebPubSubClient(url, { protocol: WebPubSubJsonProtocol(), autoReconnect: false });
client.on("group-message", async ({ message }) => {
  if (message.data === "stop") return client.stop();
  const { data, dataType } = message;
  const answer = dataType === "text" ? `javascript heard: ${data}` : data;
  await client.sendToGroup(group, answer, dataType, { noEcho: true });
});
client.on("stopped", () => process.exit(0));
await client.start();
await client.joinGroup(group);
console.log("ready");
