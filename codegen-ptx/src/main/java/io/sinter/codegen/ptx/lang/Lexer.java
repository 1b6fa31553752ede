// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.ArrayList;
import java.util.List;

/** Cuts PTX text into words, numbers, strings and signs. */
final class Lexer {
    /** A piece of text. Words keep their dots ({@code ld.global.f32}, {@code %tid.x}, {@code .reg}). */
    record Token(Kind kind, String text, int line) {
        boolean is(String sign) {
            return kind != Kind.STRING && text.equals(sign);
        }
    }

    enum Kind {
        WORD,
        NUMBER,
        STRING,
        SIGN,
        END
    }

    private final String text;
    private int at;
    private int line = 1;

    private Lexer(String text) {
        this.text = text;
    }

    /** All tokens of a text, the last of kind END. */
    static List<Token> tokens(String text) {
        Lexer l = new Lexer(text);
        List<Token> tokens = new ArrayList<>();
        do {
            tokens.add(l.next());
        } while (tokens.getLast().kind() != Kind.END);
        return tokens;
    }

    private Token next() {
        skip();
        if (at >= text.length()) return new Token(Kind.END, "end of text", line);
        int start = at;
        char c = text.charAt(at);
        if (c == '"') return string();
        if (Character.isDigit(c)) {
            while (at < text.length() && (isWord(text.charAt(at)) || isFraction() || isExponentSign(start))) at++;
            return new Token(Kind.NUMBER, text.substring(start, at), line);
        }
        if (isWord(c) || c == '.') {
            at++;
            while (at < text.length() && (isWord(text.charAt(at)) || isJoint()))
                at += isWord(text.charAt(at)) ? 1 : joint();
            return new Token(Kind.WORD, text.substring(start, at), line);
        }
        at++;
        return new Token(Kind.SIGN, String.valueOf(c), line);
    }

    private Token string() {
        int end = text.indexOf('"', at + 1);
        if (end < 0 || text.substring(at, end).indexOf('\n') >= 0)
            throw new PtxException(line, "a string without end", false);
        Token t = new Token(Kind.STRING, text.substring(at + 1, end), line);
        at = end + 1;
        return t;
    }

    private void skip() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '\n') line++;
            if (Character.isWhitespace(c)) {
                at++;
            } else if (text.startsWith("//", at)) {
                int end = text.indexOf('\n', at);
                at = end < 0 ? text.length() : end;
            } else if (text.startsWith("/*", at)) {
                int end = text.indexOf("*/", at + 2);
                if (end < 0) throw new PtxException(line, "a comment without end", false);
                for (int i = at; i < end; i++) if (text.charAt(i) == '\n') line++;
                at = end + 2;
            } else {
                return;
            }
        }
    }

    private static boolean isWord(char c) {
        return c == '_' || c == '$' || c == '%' || (c < 128 && Character.isLetterOrDigit(c));
    }

    /** A dot or two colons inside a word. */
    private boolean isJoint() {
        int n = text.charAt(at) == '.' ? 1 : text.startsWith("::", at) ? 2 : 0;
        return n > 0 && at + n < text.length() && isWord(text.charAt(at + n));
    }

    private int joint() {
        return text.charAt(at) == '.' ? 1 : 2;
    }

    private boolean isFraction() {
        return text.charAt(at) == '.' && at + 1 < text.length() && Character.isDigit(text.charAt(at + 1));
    }

    /** The sign in {@code 1.5e-3}; hexadecimal numbers have none. */
    private boolean isExponentSign(int start) {
        char c = text.charAt(at);
        if (c != '-' && c != '+') return false;
        char before = text.charAt(at - 1);
        return (before == 'e' || before == 'E') && text.substring(start, at).indexOf('.') > 0;
    }
}
