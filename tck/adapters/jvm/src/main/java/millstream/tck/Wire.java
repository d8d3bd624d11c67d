package millstream.tck;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.UnaryOperator;

/** Calls to and from the TCK: each waits for its reply, and answers what is nested in it meanwhile. */
final class Wire {
    private final PrintStream out;
    private final UnaryOperator<Message> handler;
    private final Map<Integer, BlockingQueue<Message>> boxes = new HashMap<>();
    /** The threads of this process that have numbers of their own: odd ones. */
    private final Map<Integer, Thread> own = new HashMap<>();
    private final ThreadLocal<Integer> number = new ThreadLocal<>();

    Wire(PrintStream out, UnaryOperator<Message> handler) {
        this.out = out;
        this.handler = handler;
    }

    void write(Object line) {
        byte[] bytes = (line + "\n").getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        synchronized (out) {
            out.write(bytes, 0, bytes.length);
            out.flush();
        }
    }

    /** Calls the TCK on this thread. What its side throws is thrown here. */
    Message call(Message call) {
        int thread = thread();
        BlockingQueue<Message> box = box(thread);
        write(call.with("thread", (long) thread));
        while (true) {
            Message heard = take(box);
            if (heard.has("reply")) {
                if (heard.is("reply")) {
                    return heard;
                }
                throw new SubscriberFailure();
            }
            serve(thread, heard);
        }
    }

    /** Reads until the TCK is gone. */
    void read(BufferedReader in) throws IOException {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Message message = Message.parse(line);
            if (!message.has("thread")) {
                handler.apply(message);
                continue;
            }
            box((int) message.number("thread", 0)).add(message);
        }
    }

    private synchronized BlockingQueue<Message> box(int thread) {
        BlockingQueue<Message> box = boxes.get(thread);
        if (box == null) {
            box = new LinkedBlockingQueue<>();
            boxes.put(thread, box);
            if (thread % 2 == 0) {
                play(thread, box);
            }
        }
        return box;
    }

    /** Plays a thread of the TCK. */
    private void play(int thread, BlockingQueue<Message> box) {
        Thread player = new Thread(() -> {
            number.set(thread);
            while (true) {
                serve(thread, take(box));
            }
        }, "tck-" + thread);
        player.setDaemon(true);
        player.start();
    }

    private void serve(int thread, Message call) {
        Message reply;
        try {
            reply = handler.apply(call);
        } catch (Throwable thrown) {
            reply = new Message().with("reply", false).with("text", thrown.toString());
        }
        write(reply.with("thread", (long) thread));
    }

    private synchronized int thread() {
        Integer known = number.get();
        if (known != null) {
            return known;
        }
        int free = 1;
        while (own.containsKey(free) && own.get(free).isAlive()) {
            free += 2;
        }
        own.put(free, Thread.currentThread());
        number.set(free);
        return free;
    }

    private static Message take(BlockingQueue<Message> box) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return box.take();
                } catch (InterruptedException e) {
                    // It is the subject's, which may interrupt its own threads.
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
