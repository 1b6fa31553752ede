// SPDX-License-Identifier: Apache-2.0
package io.sinter.codegen.ptx.lang;

import java.util.List;

/** The tokens of PTX text, read one after the other. */
final class TokenReader {
    private final List<Lexer.Token> tokens;
    private int at;

    TokenReader(String text) {
        tokens = Lexer.tokens(text);
    }

    /** The token that comes next; of kind END after the last. */
    Lexer.Token peek() {
        return tokens.get(at);
    }

    /** Whether the token after the next one is this. */
    boolean isSecond(String sign) {
        return at + 1 < tokens.size() && tokens.get(at + 1).is(sign);
    }

    /** Passes over the next token. */
    Lexer.Token next() {
        Lexer.Token t = tokens.get(at);
        if (t.kind() != Lexer.Kind.END) at++;
        return t;
    }

    /** Passes over the next token if it is this. */
    boolean take(String sign) {
        if (!peek().is(sign)) return false;
        at++;
        return true;
    }

    /** Passes over the next token, which must be this sign. */
    void expect(String sign) {
        if (!take(sign)) throw error("expected '" + sign + "', not " + peek().text(), false);
    }

    /** Passes over the next token, which must be this word. */
    void word(String w) {
        Lexer.Token t = next();
        if (!t.is(w)) throw error(t, "expected " + w, false);
    }

    String name() {
        Lexer.Token t = next();
        if (t.kind() != Lexer.Kind.WORD) throw error(t, "expected a name, not " + t.text(), false);
        return t.text();
    }

    String string() {
        Lexer.Token t = next();
        if (t.kind() != Lexer.Kind.STRING) throw error(t, "expected a string, not " + t.text(), false);
        return t.text();
    }

    long integer() {
        Lexer.Token t = next();
        boolean minus = t.is("-");
        if (minus) t = next();
        if (t.kind() == Lexer.Kind.NUMBER && constant(t) instanceof Operand.Int i)
            return minus ? -i.value() : i.value();
        throw error(t, "expected an integer, not " + t.text(), false);
    }

    /** The number that a token is. */
    Operand constant(Lexer.Token t) {
        String s = t.text();
        try {
            if (s.startsWith("0f") || s.startsWith("0F"))
                return new Operand.F32(Integer.parseUnsignedInt(s.substring(2), 16));
            if (s.startsWith("0d") || s.startsWith("0D"))
                return new Operand.F64(Long.parseUnsignedLong(s.substring(2), 16));
            boolean hex = s.startsWith("0x") || s.startsWith("0X");
            if (!hex && s.matches(".*[.eE].*")) return new Operand.F64(Double.parseDouble(s));
            return new Operand.Int(number(s));
        } catch (NumberFormatException _) {
            throw error(t, s + " is no constant", false);
        }
    }

    private static long number(String s) {
        String n = s.endsWith("U") ? s.substring(0, s.length() - 1) : s;
        if (n.startsWith("0x") || n.startsWith("0X")) return Long.parseUnsignedLong(n.substring(2), 16);
        if (n.startsWith("0b") || n.startsWith("0B")) return Long.parseUnsignedLong(n.substring(2), 2);
        if (n.length() > 1 && n.startsWith("0")) return Long.parseUnsignedLong(n.substring(1), 8);
        return Long.parseUnsignedLong(n);
    }

    /** An error at the next token. */
    PtxException error(String message, boolean unsupported) {
        return error(peek(), message, unsupported);
    }

    static PtxException error(Lexer.Token at, String message, boolean unsupported) {
        return new PtxException(at.line(), message, unsupported);
    }
}
