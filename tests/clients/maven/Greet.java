package com.acme;

import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugins.annotations.Mojo;

/** A plugin of Maven that says something. */
@Mojo(name = "hello", requiresProject = false)
public class Greet extends AbstractMojo {
    @Override
    public void execute() {
        getLog().info("hello from a plugin of the registry");
    }
}
