// nodemailer's pooled transport for the same letters: nodemailer.mjs MODULES FOLDER PORT MESSAGES CONNECTIONS
// MODULES is a folder where npm has installed nodemailer. As for rivals.py, MJML is compiled beforehand, names come from
// memory and no ledger is kept. The marks are replaced by string pieces, the cheapest way there is. Prints one JSON line.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createHmac } from "node:crypto";
import { connect } from "node:net";

const [modules, folder, port, count, connections] = process.argv.slice(2);
const nodemailer = createRequire(`${modules}/from-here.js`)("nodemailer");
const messages = Number(count);

function template(name, escape) {
  const parts = readFileSync(`${folder}/${name}`, "utf8").split(/\{\{ (\w+) \}\}/);
  return (values) => parts.map((part, at) => (at % 2 ? escape(values[part]) : part)).join("");
}

const marks = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" };
const html = template("issue.html", (text) => text.replace(/[&<>"']/g, (mark) => marks[mark]));
const text = template("issue.txt", (words) => words);
const subject = readFileSync(`${folder}/subject.txt`, "utf8");

function readerOf(number) {
  const id = Buffer.alloc(6);
  id.writeUIntBE(number, 0, 6);
  const mac = createHmac("sha256", "a key for benchmarks only").update(id).digest().subarray(0, 12);
  const token = Buffer.concat([id, mac]).toString("base64url");
  const address = `reader${number}@readers.example.org`;
  const values = { name: "Ada Marlow", address, unsubscribe: `https://news.example.test/u/${token}`, token };
  return { address, values };
}

const transport = nodemailer.createTransport({
  pool: true,
  host: "127.0.0.1",
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  maxConnections: Number(connections),
  maxMessages: Infinity,
  // Left alone it waits 40 ms for the acknowledgement of each message's last piece (Nagle against delayed ACK), which
  // says more about loopback than about nodemailer.
  getSocket: (options, done) => {
    const socket = connect({ host: "127.0.0.1", port: Number(port), noDelay: true });
    socket.once("connect", () => done(null, { connection: socket }));
    socket.once("error", done);
  },
});
let next = 0;

async function lane() {
  while (next < messages) {
    const { address, values } = readerOf(next++);
    await transport.sendMail({
      from: "LANTERN <weekly@news.example.test>",
      to: address,
      subject,
      envelope: { from: "weekly@news.example.test", to: address },
      messageId: `<${values.token}@news.example.test>`,
      headers: {
        "List-Id": "<weekly.news.example.test>",
        "List-Unsubscribe": `<${values.unsubscribe}>`,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
      },
      text: text(values),
      html: html(values),
      textEncoding: "quoted-printable",
    });
  }
}

const cpu = process.cpuUsage();
const began = process.hrtime.bigint();
// Twice as many as connections: none of them ever waits for its next message.
await Promise.all(Array.from({ length: Number(connections) * 2 }, lane));
const seconds = Number(process.hrtime.bigint() - began) / 1e9;
const used = process.cpuUsage(cpu);
console.log(JSON.stringify({ messages, seconds, cpu: (used.user + used.system) / 1e6 }));
transport.close();
